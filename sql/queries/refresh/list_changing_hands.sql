-- Marked customers whose records changed hands, ascending.
-- :at_most  how many rows at most
select refresh_mark.customer_id
from pipeline.refresh_mark
where refresh_mark.changes_hands
order by refresh_mark.customer_id
limit :at_most
