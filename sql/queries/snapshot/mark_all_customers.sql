-- Marks every account and every customer with a document for the next refresh.
-- :now  instant of the run
insert into pipeline.refresh_mark (customer_id, marked_at)
select account.account_id as customer_id, cast(:now as timestamptz) as marked_at
from snapshot.account
union
select me_status.customer_id, cast(:now as timestamptz) as marked_at
from me_status
order by customer_id
on conflict (customer_id) do update set marked_at = refresh_mark.marked_at
