-- A customer's document as it is served, when it was computed, and when it changes next.
-- :customer_id  Account id of the customer
select me_status.document, me_status.computed_at, me_status.next_change_at
from me_status
where me_status.customer_id = :customer_id
