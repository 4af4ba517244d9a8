-- Ids of the records of a stream that are set aside at present.
-- :stream  name of the stream
select record_id
from pipeline.set_aside_record
where stream = :stream
