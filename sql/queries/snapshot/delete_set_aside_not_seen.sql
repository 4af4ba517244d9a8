-- Forgets the set-aside records of a stream that a complete full pull did not see again.
-- :stream  name of the stream
-- :run_id  the run of the full pull
delete from pipeline.set_aside_record
where stream = :stream and run_id <> :run_id
