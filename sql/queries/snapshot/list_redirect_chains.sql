-- Sends on to the winner of a merge whatever was merged into its loser before.
-- :winner  Account id that stays
-- :loser   Account id that was merged away
update pipeline.account_redirect
set customer_id = :winner
where customer_id = :loser
