-- What GET /api/me/summary serves: the summary member of one customer's stored document, as it stands; parameter customer_id.
select document -> 'summary' as summary
from me_status
where customer_id = :customer_id
