-- Marks customers for the next refresh, keeping the lock on marks that stand so that none is lost; customer_ids: Account ids; now: the run's now.
insert into pipeline.refresh_mark (customer_id, marked_at)
select distinct marked.customer_id, cast(:now as timestamptz)
from unnest(cast(:customer_ids as text [])) as marked (customer_id)
order by marked.customer_id
on conflict (customer_id) do update set marked_at = refresh_mark.marked_at
