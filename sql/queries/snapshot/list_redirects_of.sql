-- Where accounts were merged to, for those that were.
-- :account_ids  Account ids
select account_id, customer_id
from pipeline.account_redirect
where account_id = any(cast(:account_ids as text[]))
