-- Who is to be read again now, oldest hint first: subjects whose hints have paused, or have waited long enough.
-- :quiet_seconds    read so long after the last hint
-- :longest_seconds  and no later than this after the first
-- :most             so many subjects at most
select
    hint.kind,
    hint.subject_id
from pipeline.hint
where
    (hint.not_before is null or hint.not_before <= clock_timestamp())
    and exists (
        select from pipeline.source_state
        where
            source_state.source = any(hint.sources)
            and (source_state.hints_after is null or source_state.hints_after <= clock_timestamp())
    )
group by hint.kind, hint.subject_id
having
    least(
        max(hint.last_at) + make_interval(secs => cast(:quiet_seconds as double precision)),
        min(hint.first_at) + make_interval(secs => cast(:longest_seconds as double precision))
    ) <= clock_timestamp()
order by min(hint.first_at), hint.kind, hint.subject_id
limit cast(:most as bigint)
