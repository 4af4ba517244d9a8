-- The customer with the most to see: first by tasks, then by notifications.
with listed as (
    select
        customer_id,
        count(*) as notifications
    from notification
    group by customer_id
)

select me_status.customer_id
from me_status
left join listed on listed.customer_id = me_status.customer_id
order by me_status.task_count desc, coalesce(listed.notifications, 0) desc, me_status.customer_id
limit 1
