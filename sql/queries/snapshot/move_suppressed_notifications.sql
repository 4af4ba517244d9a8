-- Gives what dedupe suppressed for a merged account to the winner.
-- :winner  Account id that stays
-- :loser   Account id that was merged away
update pipeline.suppressed_notification
set customer_id = :winner
where customer_id = :loser
