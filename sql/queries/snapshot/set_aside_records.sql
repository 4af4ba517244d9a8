-- Sets records aside; returns the owners of those that were not set aside before, or were known then and are not now.
-- :stream      the stream
-- :now         the run's now
-- :run_id      the run
-- :record_ids  ids of the records, an array like each of the next four
-- :fields      the first malformed field of each
-- :reasons     what is wrong with it
-- :owner_ids   the owner of each, as text; null where it cannot be read
-- :are_known   whether the snapshot has values of an earlier good reading
insert into pipeline.set_aside_record (
    stream, record_id, field, reason, first_seen_at, last_seen_at, run_id, owner_id, is_known, read_at
)
select distinct on (given.record_id)
    cast(:stream as text), given.record_id, given.field, given.reason, cast(:now as timestamptz),
    cast(:now as timestamptz), cast(:run_id as bigint), given.owner_id, given.is_known,
    (select stream_state.synced_at from pipeline.stream_state where stream_state.stream = :stream)
from
    unnest(
        cast(:record_ids as text[]), cast(:fields as text[]), cast(:reasons as text[]), cast(:owner_ids as text[]),
        cast(:are_known as boolean[])
    ) as given (record_id, field, reason, owner_id, is_known)
order by given.record_id
on conflict (stream, record_id) do update
    set
        field = excluded.field,
        reason = excluded.reason,
        last_seen_at = excluded.last_seen_at,
        run_id = excluded.run_id,
        owner_id = coalesce(excluded.owner_id, set_aside_record.owner_id),
        is_known = excluded.is_known
returning case when set_aside_record.first_seen_at = set_aside_record.last_seen_at then set_aside_record.owner_id end
