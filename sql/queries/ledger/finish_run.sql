-- Ends a run; nothing when it was given up meanwhile.
-- :elapsed  interval it took
-- :outcome  succeeded, failed or held
-- :counts   JSON, as text
-- :error    what went wrong, without secrets; null when nothing did
-- :run_id   the run
update job_run
set
    finished_at = job_run.started_at + cast(:elapsed as interval),
    outcome = :outcome,
    counts = cast(:counts as json),
    error = cast(:error as text)
where job_run.run_id = :run_id and job_run.outcome = 'running'
