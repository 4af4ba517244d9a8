-- Marks the accounts whose id or account number is one of the names.
-- :now    instant of the run
-- :names  Account ids or account numbers
insert into pipeline.refresh_mark (customer_id, marked_at)
select account.account_id as customer_id, cast(:now as timestamptz) as marked_at
from snapshot.account
where account.account_id = any(cast(:names as text[])) or account.account_number = any(cast(:names as text[]))
order by account.account_id
on conflict (customer_id) do update set marked_at = refresh_mark.marked_at
