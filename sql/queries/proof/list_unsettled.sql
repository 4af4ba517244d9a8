-- Customers whose documents were found to differ from their facts and are not known to be equal again.
-- :at_most  how many to list
select document_difference.customer_id
from pipeline.document_difference
where document_difference.settled_at is null
order by document_difference.customer_id
limit cast(:at_most as bigint)
