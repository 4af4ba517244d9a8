-- Gives a merged account's waiting notifications to the winner, except those it waits for already.
-- :loser   Account id that was merged away
-- :winner  Account id that stays
with taken as (
    delete from pipeline.notification_outbox
    where customer_id = :loser
    returning *
)

insert into pipeline.notification_outbox (
    customer_id, type, source_id, title, message, action_url, action_label, window_seconds, tone, about,
    decided_at, run_id, is_held
)
select
    cast(:winner as text), taken.type, taken.source_id, taken.title, taken.message, taken.action_url,
    taken.action_label, taken.window_seconds, taken.tone, taken.about, taken.decided_at, taken.run_id, taken.is_held
from taken
on conflict (customer_id, type, source_id) do nothing
