-- Marks the customers that claim one of the clients, in doubt or not.
-- :now         instant of the run
-- :client_ids  WHMCS client ids
insert into pipeline.refresh_mark (customer_id, marked_at)
select distinct claim.customer_id, cast(:now as timestamptz) as marked_at
from pipeline.claim
where claim.client_id = any(cast(:client_ids as bigint[]))
order by claim.customer_id
on conflict (customer_id) do update set marked_at = refresh_mark.marked_at
