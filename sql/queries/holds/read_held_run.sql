-- The held run: what stopped it, what it would do, and the decision if there is one.
-- :run_id  the held run
select held_run.run_id, held_run.gate, held_run.source, held_run.summary, held_run.held_at, held_run.decision
from pipeline.held_run
where held_run.run_id = :run_id
