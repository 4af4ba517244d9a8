-- In how many seconds the next hint is to be followed, 0 when one is due; null when none waits.
-- :quiet_seconds    read so long after the last hint
-- :longest_seconds  and no later than this after the first
with waiting as (
    select
        greatest(
            least(
                max(hint.last_at) + make_interval(secs => cast(:quiet_seconds as double precision)),
                min(hint.first_at) + make_interval(secs => cast(:longest_seconds as double precision))
            ),
            max(hint.not_before),
            min(allowed.hints_after)
        ) as due_at
    from pipeline.hint
    cross join
        lateral (
            select min(coalesce(source_state.hints_after, '-infinity')) as hints_after
            from pipeline.source_state
            where source_state.source = any(hint.sources)
        ) as allowed
    group by hint.kind, hint.subject_id
)

select
    case
        when min(waiting.due_at) <= clock_timestamp() then 0
        else cast(extract(epoch from min(waiting.due_at) - clock_timestamp()) as double precision)
    end as seconds
from waiting
