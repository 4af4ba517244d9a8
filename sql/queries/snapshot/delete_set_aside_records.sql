-- Forgets that the records :record_ids of the stream :stream were set aside: they were read well, or are gone.
delete from pipeline.set_aside_record
where stream = :stream and record_id = any(cast(:record_ids as text[]));
