-- Gives the transitions of the merged account :loser to :winner; those of the losing account itself are news no more.
update status_transition
set
    customer_id = :winner,
    is_pending = status_transition.is_pending and status_transition.entity <> 'account'
where customer_id = :loser;
