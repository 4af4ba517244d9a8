-- Customers whose document could not be computed, newest failure first.
-- :at_most  how many rows at most
select
    failed_customer.customer_id,
    failed_customer.reason,
    failed_customer.failures,
    failed_customer.first_failed_at,
    failed_customer.last_failed_at,
    failed_customer.retry_at
from pipeline.failed_customer
order by failed_customer.last_failed_at desc, failed_customer.customer_id
limit :at_most
