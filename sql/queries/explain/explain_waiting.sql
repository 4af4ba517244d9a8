-- What waits for a customer in the outbox, held or about to be sent.
-- :customer_id  Account id of the customer
-- :at_most      how many rows at most
select
    notification_outbox.type,
    notification_outbox.source_id,
    notification_outbox.decided_at,
    notification_outbox.is_held,
    notification_outbox.run_id
from pipeline.notification_outbox
where notification_outbox.customer_id = cast(:customer_id as text)
order by notification_outbox.type, notification_outbox.source_id
limit cast(:at_most as bigint)
