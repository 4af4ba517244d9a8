-- Replaces what a run counted.
-- :counts  as JSON
-- :run_id  the run
update job_run
set counts = cast(:counts as json)
where job_run.run_id = :run_id
