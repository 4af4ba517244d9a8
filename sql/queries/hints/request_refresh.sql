-- Notes a customer's own hint, unless it asked a moment ago; whether it was admitted, and how long it has to wait.
-- :account_id   text, the Account id of 18 characters
-- :gap_seconds  seconds between two requests of one customer
with asked as (
    insert into pipeline.refresh_request (customer_id, requested_at)
    select
        cast(:account_id as text) as customer_id,
        statement_timestamp() as requested_at
    on conflict (customer_id) do update
        set requested_at = excluded.requested_at
        where
        refresh_request.requested_at <= excluded.requested_at - make_interval(secs => cast(:gap_seconds as integer))
        or refresh_request.requested_at > excluded.requested_at
    returning requested_at
),

noted as (
    insert into pipeline.hint (kind, subject_id, origin, first_at, last_at)
    select
        'account' as kind,
        cast(:account_id as text) as subject_id,
        'portal' as origin,
        asked.requested_at as first_at,
        asked.requested_at as last_at
    from asked
    on conflict (kind, subject_id, origin) do update
        set
            hints = hint.hints + 1,
            sources = excluded.sources,
            not_before = null,
            attempts = 0,
            last_at = greatest(hint.last_at, excluded.last_at)
    returning last_at
)

select
    true as is_admitted,
    noted.last_at as requested_at,
    0 as wait_seconds
from noted
union all
select
    false as is_admitted,
    refresh_request.requested_at,
    greatest(
        1,
        cast(
            ceil(
                cast(:gap_seconds as integer) - extract(epoch from statement_timestamp() - refresh_request.requested_at)
            )
            as integer
        )
    ) as wait_seconds
from pipeline.refresh_request
where refresh_request.customer_id = cast(:account_id as text) and not exists (select from asked)
