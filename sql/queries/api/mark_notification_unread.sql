-- Marks one notification unread, and names it when it is this customer's; parameters customer_id, notification_id.
update notification
set read_at = null
where notification_id = cast(:notification_id as uuid)
    and customer_id = :customer_id
returning notification_id
