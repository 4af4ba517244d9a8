-- What a held run would remove: ids by stream.
-- :run_id  the held run
select stream, array_agg(record_id order by record_id) as record_ids
from pipeline.held_removal
where run_id = :run_id and not is_settled
group by stream
