-- Marks the customers that claim one of the WHMCS clients :client_ids, in doubt or not, at :now.
insert into pipeline.refresh_mark (customer_id, marked_at)
select distinct claim.customer_id, cast(:now as timestamptz) as marked_at
from pipeline.claim
where claim.client_id = any(cast(:client_ids as bigint[]))
order by claim.customer_id
on conflict (customer_id) do update set marked_at = refresh_mark.marked_at;
