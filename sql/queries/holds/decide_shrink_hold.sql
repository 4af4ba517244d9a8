-- Decides (:decision, at :now) on the run :run_id held by the shrink gate; no row when that was decided before.
update pipeline.held_run
set decision = :decision, decided_at = :now
where run_id = :run_id and gate = 'shrink' and decision is null
returning run_id;
