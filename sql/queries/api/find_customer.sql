-- Whether an id is a customer with a document; parameter customer_id.
select customer_id
from me_status
where customer_id = :customer_id
