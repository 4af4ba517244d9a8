-- Forgets that records of a stream were set aside: they were read well, or are gone.
-- :stream      name of the stream
-- :record_ids  ids of records, as text
delete from pipeline.set_aside_record
where stream = :stream and record_id = any(cast(:record_ids as text[]))
