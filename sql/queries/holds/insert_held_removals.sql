-- Keeps rows of a stream, found gone by a held run, for the operator's decision.
-- :run_id      the held run
-- :stream      name of the stream
-- :record_ids  ids of records, as text
insert into pipeline.held_removal (run_id, stream, record_id)
select :run_id, :stream, given.record_id
from unnest(cast(:record_ids as text[])) as given (record_id)
on conflict do nothing
