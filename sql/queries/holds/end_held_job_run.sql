-- Gives the held run :run_id its final :outcome (succeeded or discarded).
update job_run
set outcome = :outcome
where run_id = :run_id and outcome = 'held';
