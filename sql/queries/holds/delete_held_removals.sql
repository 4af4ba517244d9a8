-- Forgets what a held run would remove.
-- :run_id  the held run
delete from pipeline.held_removal
where run_id = :run_id
