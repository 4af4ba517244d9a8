-- Which documents a run wrote: how many, and up to five customers.
-- :run_id  the run
select count(*) as customers, (array_agg(me_status.customer_id order by me_status.customer_id))[1:5] as samples
from me_status
where me_status.run_id = :run_id
