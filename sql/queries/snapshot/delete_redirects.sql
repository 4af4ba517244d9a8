-- Forgets that accounts were merged: they are alive again.
-- :account_ids  Account ids
delete from pipeline.account_redirect
where account_id = any(cast(:account_ids as text[]))
