-- Notifications of the customer :customer_id, newest first, at most :at_most, with the run that sent each.
select type, source_id, title, created_at, read_at, dismissed_at, resolved_at, run_id
from notification
where customer_id = :customer_id
order by created_at desc, notification_id desc
limit :at_most;
