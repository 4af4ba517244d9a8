-- Replaces what a run counted.
-- :run_id  the run
-- :counts  as JSON
update job_run
set counts = cast(:counts as json)
where job_run.run_id = :run_id
