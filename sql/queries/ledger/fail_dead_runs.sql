-- Marks runs still called running as failed: asked by who holds their lock, so nobody runs them.
-- :jobs  names of the jobs whose locks are held
update job_run
set
    outcome = 'failed',
    finished_at = job_run.started_at,
    error = 'the process running it ended before the run did'
where job_run.job = any(:jobs) and job_run.outcome = 'running'
returning job_run.run_id, job_run.job
