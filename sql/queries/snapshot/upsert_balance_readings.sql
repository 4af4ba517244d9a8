-- Notes that the balances of invoices were read.
-- :now          instant of the run
-- :invoice_ids  ids of WHMCS invoices
insert into pipeline.balance_reading (invoice_id, read_at)
select given.invoice_id, cast(:now as timestamptz) as read_at
from unnest(cast(:invoice_ids as bigint[])) as given (invoice_id)
on conflict (invoice_id) do update
    set read_at = excluded.read_at, is_current = true
