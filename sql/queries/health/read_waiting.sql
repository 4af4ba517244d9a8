-- Since when the oldest mark and notification wait, which streams differ, when the first run started.
select
    (select min(refresh_mark.marked_at) from pipeline.refresh_mark) as oldest_mark_at,
    (
        select min(notification_outbox.decided_at)
        from pipeline.notification_outbox
        where not notification_outbox.is_held
    ) as oldest_outbox_at,
    (
        select coalesce(array_agg(stream_proof.stream order by stream_proof.stream), '{}')
        from pipeline.stream_proof
        where stream_proof.verdict = 'differs'
    ) as differing_streams,
    (select job_run.started_at from job_run order by job_run.run_id limit 1) as first_run_at
