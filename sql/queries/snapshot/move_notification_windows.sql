-- Gives a merged account's dedupe windows to the winner; where both have one the later stays.
-- :loser   Account id that was merged away
-- :winner  Account id that stays
with taken as (
    delete from pipeline.notification_window
    where customer_id = :loser
    returning type, source_id, last_sent_at, discarded_at
)

insert into pipeline.notification_window (customer_id, type, source_id, last_sent_at, discarded_at)
select cast(:winner as text), taken.type, taken.source_id, taken.last_sent_at, taken.discarded_at
from taken
on conflict (customer_id, type, source_id) do update set
    last_sent_at = greatest(notification_window.last_sent_at, excluded.last_sent_at),
    discarded_at = greatest(notification_window.discarded_at, excluded.discarded_at)
