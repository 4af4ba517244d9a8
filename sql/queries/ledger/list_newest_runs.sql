-- The newest runs of all jobs, newest first.
-- :count  how many rows at most
select run_id, job, started_at, finished_at, outcome, counts, error
from job_run
order by run_id desc
limit cast(:count as integer)
