-- Notifications of a customer, newest first, with the run that sent each.
-- :customer_id  Account id of the customer
-- :at_most      how many rows at most
select type, source_id, title, created_at, read_at, dismissed_at, resolved_at, run_id
from notification
where customer_id = :customer_id
order by created_at desc, notification_id desc
limit :at_most
