-- Whom a run marked first, such as the owner that an invoice left.
-- :now  the run's now
select refresh_mark.customer_id
from pipeline.refresh_mark
where refresh_mark.marked_at = cast(:now as timestamptz)
order by refresh_mark.customer_id
