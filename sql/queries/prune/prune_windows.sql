-- Deletes dedupe windows long past, of customers that are gone.
-- :before  instant; older ones go
-- :rows    how many rows at most
with old_window as (
    select notification_window.customer_id, notification_window.type, notification_window.source_id
    from pipeline.notification_window
    where
        greatest(notification_window.last_sent_at, notification_window.discarded_at) < :before
        and not exists (select 1 from me_status where me_status.customer_id = notification_window.customer_id)
    limit :rows
)

delete from pipeline.notification_window
using old_window
where
    notification_window.customer_id = old_window.customer_id
    and notification_window.type = old_window.type
    and notification_window.source_id = old_window.source_id
