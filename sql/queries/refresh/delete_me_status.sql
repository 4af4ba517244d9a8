-- Removes the rows of customers that are none any more; customer_ids: Account ids.
delete from me_status
where me_status.customer_id = any(cast(:customer_ids as text []))
returning me_status.customer_id
