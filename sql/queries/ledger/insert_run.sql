-- Starts a run and returns its id; no row when its slot is taken.
-- :job         name of the job
-- :due_at      the slot; null by hand
-- :started_at  instant of the run
insert into job_run (job, due_at, started_at, outcome)
values (:job, cast(:due_at as timestamptz), :started_at, 'running')
on conflict on constraint job_run_slot do nothing
returning run_id
