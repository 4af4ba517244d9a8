-- One run of the ledger, and what a gate held of it.
-- :run_id  the run
select
    job_run.run_id,
    job_run.job,
    job_run.started_at,
    job_run.finished_at,
    job_run.outcome,
    job_run.counts,
    job_run.error,
    job_run.due_at,
    held_run.gate,
    held_run.summary,
    held_run.decision
from job_run
left join pipeline.held_run on held_run.run_id = job_run.run_id
where job_run.run_id = cast(:run_id as bigint)
