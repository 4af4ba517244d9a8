-- Takes over what a run that died had decided and not sent.
-- :run_id  the run under way
update pipeline.notification_outbox
set run_id = cast(:run_id as bigint)
where
    not notification_outbox.is_held
    and notification_outbox.run_id <> cast(:run_id as bigint)
    and not exists (
        select from job_run
        where job_run.run_id = notification_outbox.run_id and job_run.outcome = 'running'
    )
