-- Marks one notification read, and names it when it is this customer's; parameters customer_id, notification_id.
update notification
set read_at = coalesce(read_at, now())
where notification_id = cast(:notification_id as uuid)
    and customer_id = :customer_id
returning notification_id
