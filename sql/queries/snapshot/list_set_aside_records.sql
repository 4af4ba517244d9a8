-- Records that were refused and have not been read well since, newest first, at most :at_most.
select
    refused_record.stream,
    refused_record.record_id,
    refused_record.field,
    refused_record.reason,
    refused_record.first_seen_at,
    refused_record.last_seen_at
from pipeline.refused_record
order by refused_record.last_seen_at desc, refused_record.stream, refused_record.record_id
limit :at_most;
