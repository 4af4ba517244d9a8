-- Since when the oldest mark and notification wait, what differs from its source or facts, and when runs began.
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
    (
        select coalesce(array_agg(differing.document), '{}')
        from (
            select
                document_difference.customer_id
                || ' at '
                || array_to_string(document_difference.paths, ', ') as document
            from pipeline.document_difference
            where document_difference.settled_at is null
            order by document_difference.customer_id
            limit 5
        ) as differing
    ) as differing_documents,
    (select job_run.started_at from job_run order by job_run.run_id limit 1) as first_run_at
