-- Deletes differences of documents that are settled, and were long ago.
-- :before  those settled before this
-- :rows    how many at most
with old_difference as (
    select document_difference.customer_id
    from pipeline.document_difference
    where document_difference.settled_at < :before
    limit :rows
)

delete from pipeline.document_difference
using old_difference
where document_difference.customer_id = old_difference.customer_id
