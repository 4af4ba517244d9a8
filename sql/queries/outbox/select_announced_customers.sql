-- The customers that listed Account ids stand for, null where there is none.
-- :account_ids  ids of 15 or 18 characters, merged ones included
select listed.account_id, me_status.customer_id
from unnest(cast(:account_ids as text[])) as listed (account_id)
left join lateral (
    select account_redirect.customer_id
    from pipeline.account_redirect
    where
        account_redirect.account_id collate "C" >= listed.account_id
        and account_redirect.account_id collate "C" < listed.account_id || '~'
        and length(listed.account_id) in (15, 18)
    limit 1
) as winner on true
left join me_status
    on
        me_status.customer_id collate "C" >= coalesce(winner.customer_id, listed.account_id)
        and me_status.customer_id collate "C" < coalesce(winner.customer_id, listed.account_id) || '~'
        and length(listed.account_id) in (15, 18)
