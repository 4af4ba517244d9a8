-- Resumes a job; its name when it was paused.
-- :now  when it was resumed
-- :job  the job
update pipeline.job_pause
set paused_at = null, paused_until = null, reason = null, resumed_at = :now
where job_pause.job = :job and job_pause.paused_at is not null
returning job_pause.job
