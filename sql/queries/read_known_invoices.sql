-- What a pull of invoices starts from: how many there are, the highest id, and the ids of the unpaid.
select
    count(*) as records,
    max(invoice.invoice_id) as highest_id,
    array_agg(invoice.invoice_id) filter (where invoice.status = 'Unpaid') as unpaid
from snapshot.invoice;
