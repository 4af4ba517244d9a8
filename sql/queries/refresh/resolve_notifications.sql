-- Marks notifications as resolved: what they speak of is over.
-- :customer_ids  Account id of each
-- :types         type of each
-- :source_ids    what each is about
-- :now           instant of the run
with over as (
    select over.customer_id, over.type, over.source_id
    from unnest(
        cast(:customer_ids as text[]), cast(:types as text[]), cast(:source_ids as text[])
    ) as over (customer_id, type, source_id)
)

update notification
set resolved_at = cast(:now as timestamptz)
from over
where
    notification.customer_id = over.customer_id
    and notification.type = over.type
    and notification.source_id = over.source_id
    and notification.resolved_at is null
