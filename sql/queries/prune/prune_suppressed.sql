-- Deletes up to :rows records of swallowed notifications from before :before.
with old_swallowed as (
    select swallowed_notification.swallowed_id
    from pipeline.swallowed_notification
    where swallowed_notification.swallowed_at < :before
    order by swallowed_notification.swallowed_at
    limit :rows
)

delete from pipeline.swallowed_notification
using old_swallowed
where swallowed_notification.swallowed_id = old_swallowed.swallowed_id;
