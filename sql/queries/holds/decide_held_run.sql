-- Writes the operator's decision on a run the flood gate holds, unless one was taken; run_id; decision: released or discarded; outcome: of the run in the ledger; now.
with decided as (
    update pipeline.held_run
    set decision = cast(:decision as text), decided_at = cast(:now as timestamptz)
    where held_run.run_id = cast(:run_id as bigint) and held_run.gate = 'flood' and held_run.decision is null
    returning run_id
)

update job_run
set outcome = cast(:outcome as text)
from decided
where job_run.run_id = decided.run_id and job_run.outcome = 'held'
