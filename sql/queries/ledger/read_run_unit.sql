-- What a unit of a run counted when it was committed.
-- :run_id  the run
-- :unit    name of the unit of work
select run_unit.counts
from pipeline.run_unit
where run_unit.run_id = :run_id and run_unit.unit = :unit
