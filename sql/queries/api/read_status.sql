-- What GET /api/me/status serves: one customer's stored document.
-- :customer_id  Account id of the customer
select document, content_hash, computed_at
from me_status
where customer_id = :customer_id
