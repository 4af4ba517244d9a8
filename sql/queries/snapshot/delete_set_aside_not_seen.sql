-- Forgets the set-aside records of the stream :stream that the complete full pull of the run :run_id did not see.
delete from pipeline.set_aside_record
where stream = :stream and run_id <> :run_id;
