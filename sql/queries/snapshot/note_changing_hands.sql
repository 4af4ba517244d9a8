-- Notes that records changed hands between marked customers: they are refreshed together.
-- :customer_ids  Account ids of customers
update pipeline.refresh_mark
set changes_hands = true
where refresh_mark.customer_id = any(cast(:customer_ids as text[])) and not refresh_mark.changes_hands
