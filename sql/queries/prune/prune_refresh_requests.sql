-- Forgets when customers last asked for a refresh, once that is long past.
-- :before  instant; older ones go
-- :rows    how many rows at most
with old_request as (
    select refresh_request.customer_id
    from pipeline.refresh_request
    where refresh_request.requested_at < :before
    order by refresh_request.requested_at
    limit :rows
    for update skip locked
)

delete from pipeline.refresh_request
using old_request
where refresh_request.customer_id = old_request.customer_id
