-- Which of the customers wait for a refresh, so that their documents may differ.
-- :customer_ids  Account ids of customers
select refresh_mark.customer_id
from pipeline.refresh_mark
where refresh_mark.customer_id = any(cast(:customer_ids as text[]))
