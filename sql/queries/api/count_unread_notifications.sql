-- How many notifications of a customer are unread (neither read, resolved nor dismissed) and theirs.
-- :customer_id  Account id of the customer
select count(*) as unread
from notification
where
    customer_id = :customer_id
    and read_at is null
    and resolved_at is null
    and dismissed_at is null
    and (
        client_id is null
        or client_id = (select me_status.whmcs_client_id from me_status where me_status.customer_id = :customer_id)
    )
