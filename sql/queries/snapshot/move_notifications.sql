-- Gives a merged account's notifications to the winner.
-- :winner  Account id that stays
-- :loser   Account id that was merged away
update notification
set customer_id = :winner
where customer_id = :loser
