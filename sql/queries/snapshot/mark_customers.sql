-- Marks customers for the next refresh, keeping the lock on existing marks so that none is lost.
-- :now           instant of the run
-- :customer_ids  Account ids of customers
insert into pipeline.refresh_mark (customer_id, marked_at)
select distinct marked.customer_id, cast(:now as timestamptz)
from unnest(cast(:customer_ids as text[])) as marked (customer_id)
order by marked.customer_id
on conflict (customer_id) do update set marked_at = refresh_mark.marked_at
