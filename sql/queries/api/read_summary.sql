-- What GET /api/me/summary serves: the summary member of one customer's stored document.
-- :customer_id  Account id of the customer
select document -> 'summary' as summary
from me_status
where customer_id = :customer_id
