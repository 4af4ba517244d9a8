-- The hints that wait for some accounts and clients.
-- :account_ids  text[], Account ids of 18 characters
-- :client_ids   bigint[], WHMCS client ids
select
    hint.kind,
    hint.subject_id,
    hint.origin,
    hint.hints,
    hint.sources
from pipeline.hint
where
    (hint.kind = 'account' and hint.subject_id = any(cast(:account_ids as text[])))
    or (hint.kind = 'client' and hint.subject_id = any(cast(cast(:client_ids as bigint[]) as text[])))
order by hint.kind, hint.subject_id, hint.origin
