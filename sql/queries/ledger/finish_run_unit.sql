-- Notes what a unit of a run counted.
-- :counts  JSON, as text
-- :run_id  the run
-- :unit    name of the unit of work
update pipeline.run_unit
set counts = cast(:counts as json)
where run_unit.run_id = :run_id and run_unit.unit = :unit
