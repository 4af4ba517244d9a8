-- Marks the customers that claim the client of one of the services.
-- :now          instant of the run
-- :service_ids  WHMCS service ids
insert into pipeline.refresh_mark (customer_id, marked_at)
select distinct claim.customer_id, cast(:now as timestamptz) as marked_at
from snapshot.service
inner join pipeline.claim on claim.client_id = service.client_id
where service.service_id = any(cast(:service_ids as bigint[]))
order by claim.customer_id
on conflict (customer_id) do update set marked_at = refresh_mark.marked_at
