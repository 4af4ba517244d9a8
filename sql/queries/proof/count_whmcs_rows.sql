-- How many rows of a WHMCS stream the snapshot has, of invoices by status.
-- :stream  client, service, invoice or cancellation
with buckets as (
    select 'client' as stream, 'all' as bucket, count(*) as records from snapshot.client
    union all
    select 'service', 'all', count(*) from snapshot.service
    union all
    select 'cancellation', 'all', count(*) from snapshot.cancellation
    union all
    select 'invoice', coalesce(invoice.status, 'unknown'), count(*)
    from snapshot.invoice
    group by 2
)

select buckets.bucket, buckets.records, cast(null as timestamptz) as newest
from buckets
where buckets.stream = cast(:stream as text)
order by buckets.bucket
