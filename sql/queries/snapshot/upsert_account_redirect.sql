-- Sends a merged account to its winner.
-- :loser   Account id that was merged away
-- :winner  Account id that stays
-- :now     instant of the run
insert into pipeline.account_redirect (account_id, customer_id, merged_at)
values (:loser, :winner, :now)
on conflict (account_id) do update set customer_id = excluded.customer_id
