-- Locks a run that waits for the operator's decision; no row when it waits no longer.
-- :run_id  the held run
-- :gate    flood or shrink
select held_run.run_id
from pipeline.held_run
where
    held_run.run_id = cast(:run_id as bigint)
    and held_run.gate = cast(:gate as text)
    and held_run.decision is null
for update
