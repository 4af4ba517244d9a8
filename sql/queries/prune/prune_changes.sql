-- Deletes the beginning of the change feed, and notes from where on it is whole.
-- :rows  how many at most
-- :before  changes before this
with oldest as (
    select change.feed_id, change.changed_at
    from pipeline.change
    order by change.feed_id
    limit :rows
),

kept as (
    select min(oldest.feed_id) as feed_id
    from oldest
    where oldest.changed_at >= :before
),

old_change as (
    select oldest.feed_id
    from oldest
    cross join kept
    where kept.feed_id is null or oldest.feed_id < kept.feed_id
),

noted as (
    update pipeline.change_feed_start
    set complete_after = last_old.feed_id
    from (select max(old_change.feed_id) as feed_id from old_change) as last_old
    where last_old.feed_id is not null
)

delete from pipeline.change
using old_change
where change.feed_id = old_change.feed_id
