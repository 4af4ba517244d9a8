-- Deletes runs of sync-hinted that ended long ago with their units, but the latest and those that a gate held.
-- :before  instant; older ones go
-- :rows    how many runs at most
with old_run as (
    select job_run.run_id
    from job_run
    where
        job_run.job = 'sync-hinted'
        and job_run.finished_at < :before
        and job_run.run_id < (select max(latest.run_id) from job_run as latest where latest.job = 'sync-hinted')
        and not exists (select 1 from pipeline.held_run where held_run.run_id = job_run.run_id)
    limit :rows
),

unit_gone as (
    delete from pipeline.run_unit
    using old_run
    where run_unit.run_id = old_run.run_id
)

delete from job_run
using old_run
where job_run.run_id = old_run.run_id
