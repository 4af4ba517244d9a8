-- Notes :counts (JSON) of the unit :unit of the run :run_id.
update pipeline.run_unit
set counts = cast(:counts as json)
where run_unit.run_id = :run_id and run_unit.unit = :unit;
