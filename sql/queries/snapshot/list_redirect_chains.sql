-- Sends on to :winner whatever was merged into :loser before.
update pipeline.account_redirect
set customer_id = :winner
where customer_id = :loser;
