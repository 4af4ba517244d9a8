-- How many customers have each task, in all documents or in those one run wrote.
-- :run_id  the run; null: all documents
select
    task.value ->> 'type' as type,
    count(*) as customers
from me_status
cross join lateral json_array_elements(me_status.document -> 'tasks') as task
where cast(:run_id as bigint) is null or me_status.run_id = cast(:run_id as bigint)
group by task.value ->> 'type'
order by min(cast(task.value ->> 'priority' as integer))
