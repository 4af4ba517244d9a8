-- The newest run of each job.
select distinct on (job) run_id, job, started_at, finished_at, outcome, counts, error
from job_run
order by job, run_id desc
