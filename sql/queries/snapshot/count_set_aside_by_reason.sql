-- Records set aside by stream, field and reason, the most frequent first.
-- :at_most  how many rows at most
select set_aside_record.stream, set_aside_record.field, set_aside_record.reason, count(*) as records
from pipeline.set_aside_record
group by set_aside_record.stream, set_aside_record.field, set_aside_record.reason
order by records desc, set_aside_record.stream, set_aside_record.field, set_aside_record.reason
limit cast(:at_most as bigint)
