-- Locks rows of customers until the transaction ends and returns what shows whether they differ.
-- :customer_ids  Account ids of customers
select
    me_status.customer_id,
    me_status.content_hash,
    me_status.whmcs_client_id,
    me_status.next_change_at,
    me_status.next_notification_at,
    me_status.rules_version
from me_status
where me_status.customer_id = any(cast(:customer_ids as text[]))
order by me_status.customer_id
for no key update
