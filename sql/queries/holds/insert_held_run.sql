-- Notes that a gate holds a run.
-- :run_id   the run
-- :gate     flood or shrink
-- :source   source of the shrink gate; null for the flood gate
-- :summary  JSON of what it would do, as text
-- :held_at  instant since when
insert into pipeline.held_run (run_id, gate, source, summary, held_at)
values (:run_id, :gate, cast(:source as text), cast(:summary as json), :held_at)
on conflict (run_id) do nothing
