-- Gives the notifications of the merged account :loser to the customer :winner.
update notification
set customer_id = :winner
where customer_id = :loser;
