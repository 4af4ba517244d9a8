-- Removes the marks of customers and returns those free to be refreshed: their mark is not held by another transaction.
-- Customers whose records changed hands are free all together or not at all, unless there are more of them than can be.
-- :customer_ids      Account ids of customers
-- :together_at_most  how many whose records changed hands are kept together
with asked as (
    select asked_for.customer_id
    from unnest(cast(:customer_ids as text[])) as asked_for (customer_id)
),

unlocked as (
    select refresh_mark.customer_id, refresh_mark.changes_hands
    from pipeline.refresh_mark
    where refresh_mark.customer_id = any(cast(:customer_ids as text[]))
    order by refresh_mark.customer_id
    for update skip locked
),

tied as (
    select count(*) as customers
    from (
        select from pipeline.refresh_mark
        where refresh_mark.changes_hands
        limit cast(:together_at_most as bigint) + 1
    ) as mark
),

taken as (
    select unlocked.customer_id
    from unlocked
    cross join tied
    where
        not unlocked.changes_hands
        or tied.customers > cast(:together_at_most as bigint)
        or tied.customers = (select count(*) from unlocked as free where free.changes_hands)
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
