-- What the run :run_id sent at :now, by type: how many, and up to five customers of each.
select
    notification.type,
    count(*) as notifications,
    (array_agg(notification.customer_id order by notification.notification_id))[1:5] as samples
from notification
where notification.created_at = :now and notification.run_id = :run_id
group by notification.type
order by notification.type;
