-- Every customer in a range of ids, and every one there that has a row, ascending.
-- :first_id  first Account id
-- :last_id   last Account id, included
select account.account_id as customer_id
from snapshot.account
where account.is_customer and account.account_id between cast(:first_id as text) and cast(:last_id as text)
union
select me_status.customer_id
from me_status
where me_status.customer_id between cast(:first_id as text) and cast(:last_id as text)
order by customer_id
