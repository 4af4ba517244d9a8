-- Sets records of a stream aside, one array per column.
-- :stream      name of the stream
-- :now         instant of the run
-- :run_id      the run
-- :record_ids  ids of records, as text
-- :fields      field that cannot be read, of each
-- :reasons     why, without the value of personal data
insert into pipeline.set_aside_record (stream, record_id, field, reason, first_seen_at, last_seen_at, run_id)
select distinct on (given.record_id)
    cast(:stream as text), given.record_id, given.field, given.reason, cast(:now as timestamptz),
    cast(:now as timestamptz), cast(:run_id as bigint)
from
    unnest(cast(:record_ids as text[]), cast(:fields as text[]), cast(:reasons as text[]))
        as given (record_id, field, reason)
order by given.record_id
on conflict (stream, record_id) do update set
    field = excluded.field,
    reason = excluded.reason,
    last_seen_at = excluded.last_seen_at,
    run_id = excluded.run_id
