-- Forgets that the accounts :account_ids were merged: they are alive again.
delete from pipeline.account_redirect
where account_id = any(cast(:account_ids as text[]));
