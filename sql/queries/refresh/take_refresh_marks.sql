-- Removes the marks of customers and returns those free to be refreshed: their mark is not held by another transaction.
-- :customer_ids  Account ids of customers
with asked as (
    select asked_for.customer_id
    from unnest(cast(:customer_ids as text[])) as asked_for (customer_id)
),

taken as (
    select refresh_mark.customer_id
    from pipeline.refresh_mark
    where refresh_mark.customer_id = any(cast(:customer_ids as text[]))
    order by refresh_mark.customer_id
    for update skip locked
),

removed as (
    delete from pipeline.refresh_mark
    using taken
    where refresh_mark.customer_id = taken.customer_id
)

select asked.customer_id
from asked
left join taken on taken.customer_id = asked.customer_id
where
    taken.customer_id is not null
    or not exists (select 1 from pipeline.refresh_mark where refresh_mark.customer_id = asked.customer_id)
order by asked.customer_id
