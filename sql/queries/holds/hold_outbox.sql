-- Holds a run's notifications back, but for announcements, which were confirmed already.
-- :run_id  the run
update pipeline.notification_outbox
set is_held = true
where
    notification_outbox.run_id = cast(:run_id as bigint)
    and not notification_outbox.is_held
    and notification_outbox.type <> 'SYSTEM_ANNOUNCEMENT'
