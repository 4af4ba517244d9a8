-- Gives what dedupe swallowed for the merged account :loser to the customer :winner.
update pipeline.swallowed_notification
set customer_id = :winner
where customer_id = :loser;
