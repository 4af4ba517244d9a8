-- What the unit :unit of the run :run_id counted when it was committed.
select run_unit.counts
from pipeline.run_unit
where run_unit.run_id = :run_id and run_unit.unit = :unit;
