-- Writes the decision on a run that a gate holds, and the run's outcome; a row unless one was taken before.
-- :decision  released, discarded or superseded
-- :now       instant of the decision
-- :run_id    the held run
-- :gate      flood or shrink
-- :outcome   new outcome of the run
with decided as (
    update pipeline.held_run
    set decision = cast(:decision as text), decided_at = cast(:now as timestamptz)
    where
        held_run.run_id = cast(:run_id as bigint)
        and held_run.gate = cast(:gate as text)
        and held_run.decision is null
    returning run_id
),

ended as (
    update job_run
    set
        outcome = cast(:outcome as text),
        error = case when cast(:decision as text) = 'discarded' then 'discarded by the operator' end
    from decided
    where job_run.run_id = decided.run_id and job_run.outcome = 'held'
)

select decided.run_id
from decided
