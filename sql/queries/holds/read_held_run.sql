-- The held run :run_id: its gate, source and decision.
select held_run.gate, held_run.source, held_run.decision
from pipeline.held_run
where held_run.run_id = :run_id;
