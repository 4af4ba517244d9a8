-- How the run of the job before this one ended; no row when there was none.
-- :job     job of the run
-- :run_id  this run
select job_run.outcome
from job_run
where job_run.job = :job and job_run.run_id < :run_id
order by job_run.run_id desc
limit 1
