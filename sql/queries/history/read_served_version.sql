-- What was served to a customer at an instant; no row when nothing was.
-- :customer_id  an Account id of 18 characters
-- :at  the instant
select
    me_status_history.valid_from,
    me_status_history.valid_to,
    me_status_history.run_id,
    me_status_history.content_hash,
    cast(me_status_history.document as text) as document
from me_status_history
where
    me_status_history.customer_id = cast(:customer_id as text)
    and me_status_history.valid_from <= cast(:at as timestamptz)
    and (me_status_history.valid_to is null or me_status_history.valid_to > cast(:at as timestamptz))
