-- How many notifications of a customer are unread (neither read, resolved nor dismissed).
-- :customer_id  Account id of the customer
select count(*) as unread
from notification
where
    customer_id = :customer_id
    and read_at is null
    and resolved_at is null
    and dismissed_at is null
