-- Customers worth looking at: some of each top task, those with most to see first.
-- :most  how many of each top task at most
with ranked as (
    select
        me_status.customer_id,
        me_status.whmcs_client_id,
        me_status.top_task_type,
        me_status.task_count,
        row_number() over (
            partition by me_status.top_task_type
            order by me_status.task_count desc, me_status.customer_id
        ) as place
    from me_status
)

select
    ranked.customer_id,
    ranked.whmcs_client_id,
    ranked.top_task_type
from ranked
where ranked.place <= cast(:most as integer)
order by ranked.task_count desc, ranked.top_task_type, ranked.customer_id
