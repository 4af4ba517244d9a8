-- How far the shadow check has come, and how many documents there are (of many, PostgreSQL's estimate).
select
    shadow_walk.last_customer_id,
    shadow_walk.checked_at,
    case
        when pg_class.reltuples > 10000 then cast(pg_class.reltuples as bigint)
        else (select count(*) from me_status)
    end as documents
from pipeline.shadow_walk
cross join pg_class
where pg_class.oid = cast('me_status' as regclass)
for update of shadow_walk
