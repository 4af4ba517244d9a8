-- The unpaid invoices of some clients, each with its client as text.
-- :client_ids  WHMCS client ids
select
    invoice.invoice_id,
    cast(invoice.client_id as text) as client_id
from snapshot.invoice
where invoice.client_id = any(cast(:client_ids as bigint[])) and invoice.status = 'Unpaid'
order by invoice.invoice_id
