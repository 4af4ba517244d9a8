-- Gives a merged account's transitions to the winner; those of the account itself are no longer news.
-- :winner  Account id that stays
-- :loser   Account id that was merged away
update status_transition
set
    customer_id = :winner,
    is_pending = status_transition.is_pending and status_transition.entity <> 'account'
where customer_id = :loser
