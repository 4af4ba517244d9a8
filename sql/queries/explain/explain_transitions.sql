-- Transitions of a customer, newest first, with the notification each called for.
-- :customer_id  Account id of the customer
-- :at_most      how many rows at most
select
    entity,
    entity_id,
    field,
    old_value,
    new_value,
    observed_at,
    source_changed_at,
    notification_type,
    is_pending,
    run_id
from status_transition
where customer_id = :customer_id
order by transition_id desc
limit :at_most
