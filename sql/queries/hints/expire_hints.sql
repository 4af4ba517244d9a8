-- Drops hints that wait longer than they matter, and counts them.
-- :before  timestamptz, those whose last hint is older
with gone as (
    delete from pipeline.hint
    where hint.last_at < cast(:before as timestamptz)
    returning hint.origin, hint.hints
)

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
