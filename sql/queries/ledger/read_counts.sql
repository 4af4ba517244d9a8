-- What a run counted, locked until the transaction ends.
-- :run_id  the run
select job_run.counts
from job_run
where job_run.run_id = :run_id
for update
