-- The accounts and clients to read when some are named: the winners of merged accounts, and both ends of every link.
-- :account_ids  text[], Account ids of 18 characters
-- :client_ids   bigint[], WHMCS client ids
with named_account as (
    select unnest(cast(:account_ids as text[])) as account_id
    union
    select account_redirect.customer_id
    from pipeline.account_redirect
    where account_redirect.account_id = any(cast(:account_ids as text[]))
    union
    select claim.customer_id
    from pipeline.claim
    where claim.client_id = any(cast(:client_ids as bigint[]))
)

select
    named_account.account_id,
    null as client_id
from named_account
union
select
    null as account_id,
    given.client_id
from unnest(cast(:client_ids as bigint[])) as given (client_id)
union
select
    null as account_id,
    claim.client_id
from named_account
inner join pipeline.claim on claim.customer_id = named_account.account_id
