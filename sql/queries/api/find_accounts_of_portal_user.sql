-- The accounts that hold a portal user's id: one, or two that are in conflict.
-- :subject  `sub` of the token
select account.account_id
from snapshot.account
where account.portal_user_id = cast(:subject as text)
limit 2
