-- Marks a customer's unread notifications read, up to an instant, as the API writes it: in whole milliseconds.
-- :customer_id  Account id of the customer
-- :until        instant; 'infinity' for all
update notification
set read_at = now()
where
    customer_id = :customer_id
    and date_trunc('milliseconds', created_at) <= cast(:until as timestamptz)
    and read_at is null
    and dismissed_at is null
    and (
        client_id is null
        or client_id = (select me_status.whmcs_client_id from me_status where me_status.customer_id = :customer_id)
    )
returning notification_id
