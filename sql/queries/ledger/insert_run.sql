-- Starts a run of :job at :started_at and returns its id; no row when its slot :due_at (null by hand) is taken.
insert into job_run (job, due_at, started_at, outcome)
values (:job, cast(:due_at as timestamptz), :started_at, 'running')
on conflict on constraint job_run_slot do nothing
returning run_id;
