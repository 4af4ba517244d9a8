-- Puts an announcement for every customer, or the listed ones, into the outbox.
-- :source_id       id of the announcement
-- :title           as sent
-- :message         as sent
-- :action_url      as sent
-- :action_label    as sent
-- :window_seconds  length of the dedupe window
-- :tone            as sent
-- :now             instant of the run
-- :run_id          the run
-- :customer_ids    Account ids of those listed; null: everybody
insert into pipeline.notification_outbox (
    customer_id, type, source_id, title, message, action_url, action_label, window_seconds, tone, decided_at, run_id
)
select
    me_status.customer_id,
    'SYSTEM_ANNOUNCEMENT',
    cast(:source_id as text),
    cast(:title as text),
    cast(:message as text),
    cast(:action_url as text),
    cast(:action_label as text),
    cast(:window_seconds as integer),
    cast(:tone as text),
    cast(:now as timestamptz),
    cast(:run_id as bigint)
from me_status
where
    cast(:customer_ids as text[]) is null
    or me_status.customer_id = any(cast(:customer_ids as text[]))
order by me_status.customer_id
on conflict (customer_id, type, source_id) do nothing
