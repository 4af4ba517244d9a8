-- Deletes old notifications, read and unread alike, so that what is left counts the same shares as before.
-- :before  those sent before this
-- :rows  how many at most
with old_notification as (
    select notification.notification_id
    from notification
    where notification.created_at < :before
    order by notification.created_at
    limit :rows
)

delete from notification
using old_notification
where notification.notification_id = old_notification.notification_id
