-- Forgets what was still to pay of invoices; which of them are Mass Pay invoices stays known.
-- :invoice_ids  ids of WHMCS invoices
with readings as (
    delete from pipeline.balance_reading
    where invoice_id = any(cast(:invoice_ids as bigint[]))
)

delete from snapshot.balance
where invoice_id = any(cast(:invoice_ids as bigint[])) and not is_mass_pay
