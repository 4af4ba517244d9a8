-- Gives what dedupe suppressed for the merged account :loser to the customer :winner.
update pipeline.suppressed_notification
set customer_id = :winner
where customer_id = :loser;
