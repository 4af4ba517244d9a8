-- Which of some customers are marked to be refreshed.
-- :customer_ids  Account ids
select refresh_mark.customer_id
from pipeline.refresh_mark
where refresh_mark.customer_id = any(cast(:customer_ids as text[]))
order by refresh_mark.customer_id
