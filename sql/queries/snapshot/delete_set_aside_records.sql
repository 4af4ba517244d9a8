-- Forgets that records were set aside: they were read well, or are gone; returns their owners.
-- :stream      the stream
-- :record_ids  ids of the records
delete from pipeline.set_aside_record
where stream = :stream and record_id = any(cast(:record_ids as text[]))
returning owner_id
