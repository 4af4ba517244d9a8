-- What was decided for a customer and not sent, newest first; customer_id; at_most: how many.
select
    swallowed_notification.type,
    swallowed_notification.source_id,
    swallowed_notification.swallowed_at,
    swallowed_notification.reason,
    swallowed_notification.passes_at,
    swallowed_notification.run_id
from pipeline.swallowed_notification
where swallowed_notification.customer_id = cast(:customer_id as text)
order by swallowed_notification.swallowed_at desc, swallowed_notification.swallowed_id desc
limit cast(:at_most as bigint)
