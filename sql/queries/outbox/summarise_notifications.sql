-- What a run sent, by type: how many, to how many customers, and up to five of these.
-- :now     instant of the run
-- :run_id  the run
with notified as (
    select notification.type, notification.customer_id, count(*) as notifications
    from notification
    where notification.created_at = :now and notification.run_id = :run_id
    group by notification.type, notification.customer_id
)

select
    notified.type,
    cast(sum(notified.notifications) as bigint) as notifications,
    count(*) as recipients,
    (array_agg(notified.customer_id order by notified.customer_id))[1:5] as samples
from notified
group by notified.type
order by notified.type
