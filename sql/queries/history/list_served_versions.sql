-- The versions of what was served to a customer, oldest first; those that held at no instant are left out.
-- :customer_id  an Account id of 18 characters
select
    me_status_history.valid_from,
    me_status_history.valid_to,
    me_status_history.run_id,
    me_status_history.content_hash,
    cast(me_status_history.document as text) as document
from me_status_history
where
    me_status_history.customer_id = cast(:customer_id as text)
    and me_status_history.valid_to is distinct from me_status_history.valid_from
order by me_status_history.valid_from, me_status_history.version_id
