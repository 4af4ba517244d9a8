-- Locks documents that should be what their facts give at an instant: of these rules, and before their next change.
-- :customer_ids   Account ids of customers
-- :rules_version  version of the rules
-- :now            the instant
select me_status.customer_id, cast(me_status.document as text) as document
from me_status
where
    me_status.customer_id = any(cast(:customer_ids as text[]))
    and me_status.rules_version = cast(:rules_version as text)
    and me_status.computed_at <= cast(:now as timestamptz)
    and (me_status.next_change_at is null or me_status.next_change_at > cast(:now as timestamptz))
order by me_status.customer_id
for no key update skip locked
