-- Ids of the invoices that are unpaid as far as the snapshot knows.
select invoice.invoice_id
from snapshot.invoice
where invoice.status = 'Unpaid'
