-- Deletes units of work of runs that ended long ago: no run repeats them.
-- :before  instant; older ones go
-- :rows    how many rows at most
with old_unit as (
    select run_unit.run_id, run_unit.unit
    from pipeline.run_unit
    inner join job_run on job_run.run_id = run_unit.run_id
    where job_run.finished_at < :before
    limit :rows
)

delete from pipeline.run_unit
using old_unit
where run_unit.run_id = old_unit.run_id and run_unit.unit = old_unit.unit
