-- One page of a customer's notifications, newest first; parameters customer_id, only_unread, before_at and before_id (the last one of the page before), page_size.
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
    resolved_at
from notification
where customer_id = :customer_id
    and dismissed_at is null
    and (created_at, notification_id) < (cast(:before_at as timestamptz), cast(:before_id as uuid))
    and (not cast(:only_unread as boolean) or (read_at is null and resolved_at is null))
order by created_at desc, notification_id desc
limit cast(:page_size as integer)
