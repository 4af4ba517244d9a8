-- Deletes runs that ended long ago, but the latest of each job and those that a gate still holds.
-- :before  instant; older ones go
-- :rows    how many rows at most
with old_run as (
    select job_run.run_id
    from job_run
    where
        job_run.finished_at < :before
        and job_run.run_id < (select max(latest.run_id) from job_run as latest where latest.job = job_run.job)
        and not exists (
            select 1 from pipeline.held_run where held_run.run_id = job_run.run_id and held_run.decision is null
        )
    limit :rows
)

delete from job_run
using old_run
where job_run.run_id = old_run.run_id
