-- Whether an id is a customer with a document.
-- :customer_id  Account id of the customer
select customer_id
from me_status
where customer_id = :customer_id
