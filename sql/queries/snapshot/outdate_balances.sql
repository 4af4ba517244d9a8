-- Has the balances of invoices read again by the next pull: something of the invoices changed.
-- :invoice_ids  ids of WHMCS invoices
update pipeline.balance_reading
set is_current = false
where invoice_id = any(cast(:invoice_ids as bigint[])) and is_current
