-- The stored documents of customers, as text.
-- :customer_ids  Account ids of customers
select me_status.customer_id, cast(me_status.document as text) as document
from me_status
where me_status.customer_id = any(cast(:customer_ids as text[]))
