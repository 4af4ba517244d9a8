-- Records that were set aside and have not been read well since, newest first.
-- :at_most  how many rows at most
select
    set_aside_record.stream,
    set_aside_record.record_id,
    set_aside_record.field,
    set_aside_record.reason,
    set_aside_record.first_seen_at,
    set_aside_record.last_seen_at
from pipeline.set_aside_record
order by set_aside_record.last_seen_at desc, set_aside_record.stream, set_aside_record.record_id
limit :at_most
