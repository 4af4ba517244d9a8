-- Forgets that customers failed: their document was computed.
-- :customer_ids  Account ids of customers
delete from pipeline.failed_customer
where customer_id = any(cast(:customer_ids as text[]))
