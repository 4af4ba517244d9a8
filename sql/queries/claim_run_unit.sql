-- Claims the unit :unit of the run :run_id; no row when it was committed before.
insert into pipeline.run_unit (run_id, unit, counts)
values (:run_id, :unit, '{}')
on conflict (run_id, unit) do nothing
returning run_id;
