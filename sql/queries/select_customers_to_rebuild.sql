-- Every customer there is, and every one that has a row, ascending; customer_id: only this one, or null for all.
select account.account_id as customer_id
from snapshot.account
where account.is_customer and account.account_id = coalesce(cast(:customer_id as text), account.account_id)
union
select me_status.customer_id
from me_status
where me_status.customer_id = coalesce(cast(:customer_id as text), me_status.customer_id)
order by customer_id
