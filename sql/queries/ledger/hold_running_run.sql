-- Keeps a run from being given up until the transaction ends; no row when it was given up, or has ended.
-- :run_id  the run
select job_run.run_id
from job_run
where job_run.run_id = :run_id and job_run.outcome = 'running'
for share
