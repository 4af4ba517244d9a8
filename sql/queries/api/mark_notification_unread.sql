-- Marks one notification unread, and names it when it is this customer's.
-- :notification_id  the notification
-- :customer_id      Account id of the customer
update notification
set read_at = null
where
    notification_id = cast(:notification_id as uuid)
    and customer_id = :customer_id
returning notification_id
