-- The accounts whose id or account number is one of the names.
-- :names  Account ids or account numbers
select account.account_id as customer_id
from snapshot.account
where account.account_id = any(cast(:names as text[])) or account.account_number = any(cast(:names as text[]))
