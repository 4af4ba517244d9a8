-- Runs that a gate stopped and nobody has released or discarded yet, oldest first.
select run_id, gate, source, summary, held_at
from pipeline.held_run
where decision is null
order by run_id
