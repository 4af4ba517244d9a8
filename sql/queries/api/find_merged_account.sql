-- The customer a merged account went to; parameter account_id.
select customer_id
from pipeline.account_redirect
where account_id = :account_id
