-- The customers that claim one of the clients, in doubt or not.
-- :client_ids  WHMCS client ids
select distinct claim.customer_id
from pipeline.claim
where claim.client_id = any(cast(:client_ids as bigint[]))
