-- Ends the run :run_id with :outcome after :elapsed, with its :counts and, if any, :error; nothing when it was given up meanwhile.
update job_run
set
    finished_at = job_run.started_at + cast(:elapsed as interval),
    outcome = :outcome,
    counts = cast(:counts as json),
    error = cast(:error as text)
where job_run.run_id = :run_id and job_run.outcome = 'running';
