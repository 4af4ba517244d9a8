-- Forgets readings of some owners since which the stream was read whole: the facts are at least as young without them.
-- :before  instant; older ones go, if a day old by the database's clock (a pull under way may have begun earlier)
-- :rows    how many rows at most
with old_reading as (
    select owner_reading.owner_id, owner_reading.stream
    from pipeline.owner_reading
    inner join pipeline.stream_state on stream_state.stream = owner_reading.stream
    where
        owner_reading.began_at < least(cast(:before as timestamptz), statement_timestamp() - interval '1 day')
        and (stream_state.stream in ('pay_method', 'balance') or stream_state.read_at >= owner_reading.read_at)
    limit :rows
)

delete from pipeline.owner_reading
using old_reading
where owner_reading.owner_id = old_reading.owner_id and owner_reading.stream = old_reading.stream
