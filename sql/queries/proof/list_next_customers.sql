-- The next customers of the shadow check, ascending.
-- :last_id  the last customer checked
-- :steps    how many to check
select me_status.customer_id
from me_status
where me_status.customer_id > cast(:last_id as text)
order by me_status.customer_id
limit cast(:steps as bigint)
