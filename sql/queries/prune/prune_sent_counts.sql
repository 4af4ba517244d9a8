-- Deletes counts of what runs sent, older than the flood gate looks.
-- :before  instant; older ones go
-- :rows    how many rows at most
with old_count as (
    select sent_count.run_id, sent_count.type
    from pipeline.sent_count
    where sent_count.sent_at < :before
    limit :rows
)

delete from pipeline.sent_count
using old_count
where sent_count.run_id = old_count.run_id and sent_count.type = old_count.type
