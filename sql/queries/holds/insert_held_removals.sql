-- Keeps the rows :record_ids of the stream :stream, found gone by the held run :run_id, for the operator's decision.
insert into pipeline.held_removal (run_id, stream, record_id)
select :run_id, :stream, given.record_id
from unnest(cast(:record_ids as text[])) as given (record_id)
on conflict do nothing;
