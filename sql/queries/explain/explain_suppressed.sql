-- What was decided for a customer and not sent, newest first.
-- :customer_id  Account id of the customer
-- :at_most      how many rows at most
select
    suppressed_notification.type,
    suppressed_notification.source_id,
    suppressed_notification.suppressed_at,
    suppressed_notification.reason,
    suppressed_notification.passes_at,
    suppressed_notification.run_id
from pipeline.suppressed_notification
where suppressed_notification.customer_id = cast(:customer_id as text)
order by suppressed_notification.suppressed_at desc, suppressed_notification.suppressed_id desc
limit cast(:at_most as bigint)
