-- Every unpaid invoice with its client and when its balance was read last: never or outdated ones first, then oldest.
select
    invoice.invoice_id,
    cast(invoice.client_id as text) as client_id,
    case when balance_reading.is_current then balance_reading.read_at end as read_at
from snapshot.invoice
left join pipeline.balance_reading on balance_reading.invoice_id = invoice.invoice_id
where invoice.status = 'Unpaid'
order by read_at nulls first, invoice.invoice_id
