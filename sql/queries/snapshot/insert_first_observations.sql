-- Notes when records that came after the baseline were first seen; one seen before keeps its first time.
-- :entity      account, order, service, invoice or case
-- :now         instant of the run
-- :run_id      the run
-- :entity_ids  their ids, as text
insert into pipeline.first_observation (entity, entity_id, observed_at, run_id)
select cast(:entity as text), seen.entity_id, cast(:now as timestamptz), cast(:run_id as bigint)
from unnest(cast(:entity_ids as text[])) as seen (entity_id)
on conflict (entity, entity_id) do nothing
