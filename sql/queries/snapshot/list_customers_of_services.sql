-- The customers that claim the client of one of the services.
-- :service_ids  WHMCS service ids
select distinct claim.customer_id
from snapshot.service
inner join pipeline.claim on claim.client_id = service.client_id
where service.service_id = any(cast(:service_ids as bigint[]))
