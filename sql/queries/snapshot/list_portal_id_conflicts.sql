-- Portal user ids that several accounts hold, with these accounts: their portal user is served nothing (409).
-- :at_most  entries listed
select
    account.portal_user_id,
    array_agg(account.account_id order by account.account_id) as account_ids
from snapshot.account
where account.portal_user_id is not null
group by account.portal_user_id
having count(*) > 1
order by account.portal_user_id
limit :at_most
