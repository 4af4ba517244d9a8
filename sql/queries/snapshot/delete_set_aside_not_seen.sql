-- Forgets the set-aside records that a complete reading did not see; returns their owners.
-- :stream     the stream
-- :run_id     the run that read
-- :owner_ids  the owners that were read whole, as text; null: all of the stream was
delete from pipeline.set_aside_record
where
    stream = :stream and run_id <> :run_id
    and (cast(:owner_ids as text[]) is null or owner_id = any(cast(:owner_ids as text[])))
returning owner_id
