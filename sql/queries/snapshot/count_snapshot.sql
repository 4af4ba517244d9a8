-- How many rows the snapshot has of each stream, and when each was last pulled well.
with row_count as (
    select 'account' as stream, count(*) as records from snapshot.account
    union all
    select 'order', count(*) from snapshot."order"
    union all
    select 'case', count(*) from snapshot."case"
    union all
    select 'client', count(*) from snapshot.client
    union all
    select 'invoice', count(*) from snapshot.invoice
    union all
    select 'service', count(*) from snapshot.service
    union all
    select 'pay_method', count(*) from snapshot.pay_method
    union all
    select 'cancellation', count(*) from snapshot.cancellation
    union all
    select 'balance', count(*) from snapshot.balance
)

select row_count.stream, row_count.records, stream_state.synced_at, stream_state.full_at
from row_count
left join pipeline.stream_state on stream_state.stream = row_count.stream
order by row_count.stream
