-- Marks transitions as judged.
-- :transition_ids  those read
-- :gone            Account ids that are not customers: all their transitions are void
update status_transition
set is_pending = false
where
    status_transition.is_pending
    and (
        status_transition.transition_id = any(cast(:transition_ids as bigint[]))
        or status_transition.customer_id = any(cast(:gone as text[]))
    )
