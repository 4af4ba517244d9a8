-- Removes the balances of invoices that are gone, and the notes of their readings.
-- :invoice_ids  ids of WHMCS invoices
with readings as (
    delete from pipeline.balance_reading
    where invoice_id = any(cast(:invoice_ids as bigint[]))
)

delete from snapshot.balance
where invoice_id = any(cast(:invoice_ids as bigint[]))
