-- Holds a run's notifications back, announcements (confirmed already) excepted; run_id.
update pipeline.notification_outbox
set is_held = true
where
    notification_outbox.run_id = cast(:run_id as bigint)
    and not notification_outbox.is_held
    and notification_outbox.type <> 'SYSTEM_ANNOUNCEMENT'
