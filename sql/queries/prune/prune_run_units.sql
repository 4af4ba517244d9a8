-- Deletes up to :rows units of work of runs that ended before :before: no run repeats them any more.
with old_unit as (
    select run_unit.run_id, run_unit.unit
    from pipeline.run_unit
    join job_run on job_run.run_id = run_unit.run_id
    where job_run.finished_at < :before
    limit :rows
)

delete from pipeline.run_unit
using old_unit
where run_unit.run_id = old_unit.run_id and run_unit.unit = old_unit.unit;
