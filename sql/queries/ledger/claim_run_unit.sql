-- Claims a unit of a run and keeps the run from being given up; no row when it was committed before, or given up.
-- :run_id  the run
-- :unit    name of the unit of work
with own_run as (
    select job_run.outcome = 'running' as is_running
    from job_run
    where job_run.run_id = cast(:run_id as bigint)
    for share
)

insert into pipeline.run_unit (run_id, unit, counts)
select cast(:run_id as bigint), cast(:unit as text), '{}'
where coalesce((select own_run.is_running from own_run), true)
on conflict (run_id, unit) do nothing
returning run_id
