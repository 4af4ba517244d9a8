-- Since when the oldest mark and the oldest notification not held have waited, and when the ledger's first run started.
select
    (select min(refresh_mark.marked_at) from pipeline.refresh_mark) as oldest_mark_at,
    (
        select min(notification_outbox.decided_at)
        from pipeline.notification_outbox
        where not notification_outbox.is_held
    ) as oldest_outbox_at,
    (select job_run.started_at from job_run order by job_run.run_id limit 1) as first_run_at
