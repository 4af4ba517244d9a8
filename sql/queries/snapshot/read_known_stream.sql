-- What a pull of a WHMCS stream starts from: how many rows there are, and the highest id.
-- :stream  name of the stream
with known_stream as (
    select 'client' as stream, count(*) as records, max(client_id) as highest_id from snapshot.client
    union all
    select 'invoice', count(*), max(invoice_id) from snapshot.invoice
    union all
    select 'service', count(*), max(service_id) from snapshot.service
    union all
    select 'cancellation', count(*), max(cancellation_id) from snapshot.cancellation
    union all
    select 'pay_method', count(*), max(pay_method_id) from snapshot.pay_method
    union all
    select 'balance', count(*), max(invoice_id) from snapshot.balance
)

select known_stream.records, known_stream.highest_id
from known_stream
where known_stream.stream = :stream
