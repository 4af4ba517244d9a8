-- One page of a customer's notifications, newest first.
-- :customer_id  Account id of the customer
-- :before_at    created_at of the last one of the page before; null for the first page
-- :before_id    notification_id of the same
-- :types        types to list; null for every type
-- :only_unread  whether to leave out those read
-- :page_size    how many rows at most
select
    notification_id,
    type,
    title,
    message,
    action_url,
    action_label,
    source_id,
    created_at,
    read_at,
    resolved_at,
    tone,
    about
from notification
where
    customer_id = :customer_id
    and dismissed_at is null
    and (
        client_id is null
        or client_id = (select me_status.whmcs_client_id from me_status where me_status.customer_id = :customer_id)
    )
    and (created_at, notification_id) < (cast(:before_at as timestamptz), cast(:before_id as uuid))
    and (cast(:types as text[]) is null or type = any(cast(:types as text[])))
    and (not cast(:only_unread as boolean) or (read_at is null and resolved_at is null))
order by created_at desc, notification_id desc
limit cast(:page_size as integer)
