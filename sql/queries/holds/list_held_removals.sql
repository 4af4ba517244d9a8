-- What the held run :run_id would remove: ids by stream.
select stream, array_agg(record_id order by record_id) as record_ids
from pipeline.held_removal
where run_id = :run_id
group by stream;
