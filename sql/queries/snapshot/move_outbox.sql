-- Gives the notifications under way of the merged account :loser to :winner, except those the winner waits for already.
with taken as (
    delete from pipeline.notification_outbox
    where customer_id = :loser
    returning *
)

insert into pipeline.notification_outbox (
    customer_id, type, source_id, title, message, action_url, action_label, window_seconds, decided_at, run_id, is_held
)
select
    cast(:winner as text), taken.type, taken.source_id, taken.title, taken.message, taken.action_url,
    taken.action_label, taken.window_seconds, taken.decided_at, taken.run_id, taken.is_held
from taken
on conflict (customer_id, type, source_id) do nothing;
