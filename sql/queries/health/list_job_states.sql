-- Each of the jobs: its last good run, the run under way, its last ended run, and whether it is paused.
-- :jobs  their names
select
    job.name,
    good.finished_at as last_good_at,
    running.started_at as running_since,
    ended.run_id as last_run_id,
    ended.outcome as last_outcome,
    ended.error as last_error,
    job_pause.paused_at,
    job_pause.paused_until,
    job_pause.resumed_at
from unnest(cast(:jobs as text[])) with ordinality as job (name, place)
left join lateral (
    select job_run.finished_at
    from job_run
    where job_run.job = job.name and job_run.outcome in ('succeeded', 'held', 'discarded')
    order by job_run.run_id desc
    limit 1
) as good on true
left join lateral (
    select job_run.started_at
    from job_run
    where job_run.job = job.name and job_run.outcome = 'running'
    order by job_run.run_id desc
    limit 1
) as running on true
left join lateral (
    select job_run.run_id, job_run.outcome, job_run.error
    from job_run
    where job_run.job = job.name and job_run.outcome <> 'running'
    order by job_run.run_id desc
    limit 1
) as ended on true
left join pipeline.job_pause on job_pause.job = job.name
order by job.place
