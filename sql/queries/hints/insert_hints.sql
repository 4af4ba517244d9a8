-- Notes hints that customers are to be read again, and wakes the schedule; returns the instant of the noting.
-- :account_ids  text[], Salesforce Account ids of 18 characters
-- :client_ids   bigint[], WHMCS client ids
-- :origin       who gives them: portal, whmcs, salesforce, operator or sync
with given as (
    select
        'account' as kind,
        named.subject_id
    from unnest(cast(:account_ids as text[])) as named (subject_id)
    union
    select
        'client' as kind,
        cast(named.client_id as text) as subject_id
    from unnest(cast(:client_ids as bigint[])) as named (client_id)
),

noted as (
    insert into pipeline.hint (kind, subject_id, origin, first_at, last_at)
    select
        given.kind,
        given.subject_id,
        cast(:origin as text) as origin,
        statement_timestamp() as first_at,
        statement_timestamp() as last_at
    from given
    order by given.kind, given.subject_id
    on conflict (kind, subject_id, origin) do update
        set
            hints = hint.hints + 1,
            sources = excluded.sources,
            not_before = null,
            attempts = 0,
            last_at = greatest(hint.last_at, excluded.last_at)
    returning last_at
)

select coalesce(max(noted.last_at), statement_timestamp()) as noted_at
from noted
