-- Notes that :gate (of :source, for the shrink gate) holds the run :run_id since :held_at, with :summary.
insert into pipeline.held_run (run_id, gate, source, summary, held_at)
values (:run_id, :gate, cast(:source as text), cast(:summary as json), :held_at)
on conflict (run_id) do nothing;
