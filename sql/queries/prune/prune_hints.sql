-- Drops hints that wait longer than they matter, and counts them as expired; a row for each that went.
-- :before  instant; those whose last hint is older go
-- :rows    how many rows at most; null: all
with old_hint as (
    select hint.kind, hint.subject_id, hint.origin
    from pipeline.hint
    where hint.last_at < cast(:before as timestamptz)
    order by hint.kind, hint.subject_id, hint.origin
    limit cast(:rows as bigint)
    for update skip locked
),

gone as (
    delete from pipeline.hint
    using old_hint
    where hint.kind = old_hint.kind and hint.subject_id = old_hint.subject_id and hint.origin = old_hint.origin
    returning hint.origin, hint.hints
),

counted as (
    insert into pipeline.hint_count (origin, outcome, hints)
    select
        gone.origin,
        'expired' as outcome,
        sum(gone.hints) as hints
    from gone
    group by gone.origin
    order by gone.origin
    on conflict (origin, outcome) do update
        set hints = hint_count.hints + excluded.hints
)

select gone.origin
from gone
