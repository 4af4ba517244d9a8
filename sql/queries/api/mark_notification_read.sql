-- Marks one notification read, and names it when it is this customer's.
-- :notification_id  the notification
-- :customer_id      Account id of the customer
update notification
set read_at = coalesce(read_at, now())
where
    notification_id = cast(:notification_id as uuid)
    and customer_id = :customer_id
    and (
        client_id is null
        or client_id = (select me_status.whmcs_client_id from me_status where me_status.customer_id = :customer_id)
    )
returning notification_id
