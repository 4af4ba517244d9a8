-- How many customers have each task: of the documents written by the run :run_id, of all when it is null.
select
    task.value ->> 'type' as type,
    count(*) as customers
from me_status
cross join lateral json_array_elements(me_status.document -> 'tasks') as task
where cast(:run_id as bigint) is null or me_status.run_id = cast(:run_id as bigint)
group by task.value ->> 'type'
order by min(cast(task.value ->> 'priority' as integer))
