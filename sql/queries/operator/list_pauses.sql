-- The paused jobs: since when, until when, and why.
-- :now  a pause whose end has come is over
select job_pause.job, job_pause.paused_at, job_pause.paused_until, job_pause.reason
from pipeline.job_pause
where job_pause.paused_at is not null and (job_pause.paused_until is null or job_pause.paused_until > :now)
order by job_pause.job
