-- Sends the merged account :loser to the customer :winner, at :now.
insert into pipeline.account_redirect (account_id, customer_id, merged_at)
values (:loser, :winner, :now)
on conflict (account_id) do update set customer_id = excluded.customer_id;
