-- Ids of the records of the stream :stream that are set aside at present.
select record_id
from pipeline.set_aside_record
where stream = :stream;
