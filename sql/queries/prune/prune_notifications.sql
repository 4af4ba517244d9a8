-- Deletes old notifications that no longer count: resolved, dismissed or read.
-- :before  instant; older ones go
-- :rows    how many rows at most
with old_notification as (
    select notification.notification_id
    from notification
    where
        notification.created_at < :before
        and (
            notification.resolved_at is not null
            or notification.dismissed_at is not null
            or notification.read_at is not null
        )
    order by notification.created_at
    limit :rows
)

delete from notification
using old_notification
where notification.notification_id = old_notification.notification_id
