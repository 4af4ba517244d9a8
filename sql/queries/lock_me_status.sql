-- Holds the rows of the customers until the end of the transaction and returns who has one; customer_ids: Account ids.
select me_status.customer_id
from me_status
where me_status.customer_id = any(cast(:customer_ids as text []))
order by me_status.customer_id
for no key update
