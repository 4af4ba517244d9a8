-- What the run :run_id sent at :now, by type: how many, to how many customers, and up to five of these.
with told as (
    select notification.type, notification.customer_id, count(*) as notifications
    from notification
    where notification.created_at = :now and notification.run_id = :run_id
    group by notification.type, notification.customer_id
)

select
    told.type,
    cast(sum(told.notifications) as bigint) as notifications,
    count(*) as recipients,
    (array_agg(told.customer_id order by told.customer_id))[1:5] as samples
from told
group by told.type
order by told.type;
