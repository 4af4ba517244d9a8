-- Notes that hints were followed at some sources; one with no source left is counted and leaves, unless it came again.
-- :sources      text[], the sources that were read
-- :kinds        text[], account or client, one element per hint
-- :subject_ids  text[]
-- :origins      text[]
-- :numbers      integer[], how many hints there were when the reading began
-- :outcome      read or unknown
with followed as (
    select
        given.kind,
        given.subject_id,
        given.origin,
        given.number,
        hint.hints,
        hint.last_at,
        array(
            select unnest(hint.sources)
            except
            select unnest(cast(:sources as text[]))
        ) as remaining
    from
        unnest(
            cast(:kinds as text[]), cast(:subject_ids as text[]), cast(:origins as text[]), cast(:numbers as integer[])
        ) as given (kind, subject_id, origin, number)
    inner join pipeline.hint
        on
            hint.kind = given.kind
            and hint.subject_id = given.subject_id
            and hint.origin = given.origin
    order by hint.kind, hint.subject_id, hint.origin
    for update of hint
),

gone as (
    delete from pipeline.hint
    using followed
    where
        hint.kind = followed.kind
        and hint.subject_id = followed.subject_id
        and hint.origin = followed.origin
        and followed.hints = followed.number
        and followed.remaining = '{}'
    returning hint.origin, hint.hints
),

kept as (
    update pipeline.hint
    set
        sources = case when followed.hints = followed.number then followed.remaining else hint.sources end,
        hints = case when followed.hints = followed.number then hint.hints else followed.hints - followed.number end,
        first_at = case when followed.hints = followed.number then hint.first_at else followed.last_at end
    from followed
    where
        hint.kind = followed.kind
        and hint.subject_id = followed.subject_id
        and hint.origin = followed.origin
        and (followed.hints > followed.number or followed.remaining <> '{}')
),

counted as (
    select
        followed.origin,
        sum(followed.number) as hints
    from followed
    where followed.hints > followed.number or followed.remaining = '{}'
    group by followed.origin
)

insert into pipeline.hint_count (origin, outcome, hints)
select
    counted.origin,
    cast(:outcome as text) as outcome,
    counted.hints
from counted
order by counted.origin
on conflict (origin, outcome) do update
    set hints = hint_count.hints + excluded.hints
