-- Deletes old records of suppressed notifications.
-- :before  instant; older ones go
-- :rows    how many rows at most
with old_suppressed as (
    select suppressed_notification.suppressed_id
    from pipeline.suppressed_notification
    where suppressed_notification.suppressed_at < :before
    order by suppressed_notification.suppressed_at
    limit :rows
)

delete from pipeline.suppressed_notification
using old_suppressed
where suppressed_notification.suppressed_id = old_suppressed.suppressed_id
