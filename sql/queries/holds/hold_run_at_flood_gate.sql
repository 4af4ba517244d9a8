-- Lists a run as held by the flood gate; run_id; summary: JSON for the operator; now: the run's now.
insert into pipeline.held_run (run_id, gate, summary, held_at)
values (cast(:run_id as bigint), 'flood', cast(:summary as json), cast(:now as timestamptz))
