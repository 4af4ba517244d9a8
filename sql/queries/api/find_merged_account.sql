-- The customer a merged account went to.
-- :account_id  Account id that may have been merged
select customer_id
from pipeline.account_redirect
where account_id = :account_id
