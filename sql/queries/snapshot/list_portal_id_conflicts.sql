-- Portal user ids that several accounts hold, with these accounts: their portal user is served nothing (409).
-- :at_most  entries listed
with held_twice as (
    select account.portal_user_id
    from snapshot.account
    where account.portal_user_id is not null
    group by account.portal_user_id
    having count(*) > 1
    order by account.portal_user_id
    limit :at_most
)

select
    account.portal_user_id,
    array_agg(account.account_id order by account.account_id) as account_ids
from held_twice
inner join snapshot.account on account.portal_user_id = held_twice.portal_user_id
group by account.portal_user_id
order by account.portal_user_id
