-- How long the newest runs of a job took, newest first; runs under way are left out.
-- :job    the job
-- :count  how many
select
    job_run.run_id,
    job_run.outcome,
    cast(extract(epoch from job_run.finished_at - job_run.started_at) as float8) as seconds
from job_run
where job_run.job = cast(:job as text) and job_run.finished_at is not null
order by job_run.run_id desc
limit cast(:count as bigint)
