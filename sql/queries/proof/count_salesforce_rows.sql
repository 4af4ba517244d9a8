-- How many rows of a Salesforce stream the snapshot has by month of creation (UTC), and the latest stamp of each month.
-- :moved   ids that are left out: they changed at the source after the last pull
-- :stream  account, order or case
with records as (
    select 'account' as stream, account_id as record_id, created_at, modified_at from snapshot.account
    union all
    select 'order', order_id, created_at, modified_at from snapshot."order"
    union all
    select 'case', case_id, created_at, modified_at from snapshot."case"
)

select
    coalesce(to_char(records.created_at at time zone 'UTC', 'YYYY-MM'), 'unknown') as bucket,
    count(*) as records,
    max(records.modified_at) as newest
from records
left join unnest(cast(:moved as text[])) as moved (record_id) on records.record_id = moved.record_id
where records.stream = cast(:stream as text) and moved.record_id is null
group by 1
order by 1
