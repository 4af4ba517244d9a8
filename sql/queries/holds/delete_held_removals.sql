-- Forgets what the held run :run_id would remove.
delete from pipeline.held_removal
where run_id = :run_id;
