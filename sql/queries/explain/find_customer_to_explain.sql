-- Which customers an operator may mean, with the account or client they were found by.
-- :account_id  Account id, merged or not; null: none asked for
-- :client_id   WHMCS client id; null: none asked for
select account_redirect.customer_id, account_redirect.account_id as merged_account
from pipeline.account_redirect
where account_redirect.account_id = cast(:account_id as text)
union all
select account.account_id, null
from snapshot.account
where
    account.account_id = cast(:account_id as text)
    and not exists (select 1 from pipeline.account_redirect where account_redirect.account_id = account.account_id)
union all
select claim.customer_id, null
from pipeline.claim
where claim.client_id = cast(:client_id as bigint)
order by customer_id
