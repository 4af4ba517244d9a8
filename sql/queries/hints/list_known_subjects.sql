-- Which of the accounts and clients the snapshot has, or knows as merged.
-- :account_ids  text[], Account ids of 18 characters
-- :client_ids   bigint[], WHMCS client ids
select account.account_id as subject_id
from snapshot.account
where account.account_id = any(cast(:account_ids as text[]))
union
select account_redirect.account_id as subject_id
from pipeline.account_redirect
where account_redirect.account_id = any(cast(:account_ids as text[]))
union
select cast(client.client_id as text) as subject_id
from snapshot.client
where client.client_id = any(cast(:client_ids as bigint[]))
