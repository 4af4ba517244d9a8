-- Holds a run that waits for the operator's decision on the flood gate; nothing when it waits no longer; run_id.
select held_run.run_id
from pipeline.held_run
where held_run.run_id = cast(:run_id as bigint) and held_run.gate = 'flood' and held_run.decision is null
for update
