-- Grain: one business day, age bucket of customers on the day before and on the day.
create or replace view analytics.bucket_moves as
with side as (
    select customer_day.day, customer_day.customer_id, null as from_bucket, customer_day.age_bucket as to_bucket
    from analytics.customer_day
    union all
    select customer_day.day + 1, customer_day.customer_id, customer_day.age_bucket, null
    from analytics.customer_day
    cross join analytics.settings
    where customer_day.day < settings.today
),

move as (
    select
        side.day,
        side.customer_id,
        coalesce(max(side.from_bucket), 'not a customer') as from_bucket,
        coalesce(max(side.to_bucket), 'not a customer') as to_bucket
    from side
    group by side.day, side.customer_id
)

select move.day, move.from_bucket, move.to_bucket, count(*) as customers
from move
where move.day > (select min(business_day.day) from analytics.business_day)
group by move.day, move.from_bucket, move.to_bucket;
comment on view analytics.bucket_moves is 'One row per business day and pair of buckets: how many customers went from one to the other between the ends of two days, those who stayed included. Ask for one day: the whole reads customers times days. Measured: one day 11 s over 500,000 customers.';
comment on column analytics.bucket_moves.day is 'Business day.';
comment on column analytics.bucket_moves.from_bucket is 'age_bucket of customer_day at the end of the day before; not a customer when there was no document.';
comment on column analytics.bucket_moves.to_bucket is 'Likewise, at the end of the day.';
comment on column analytics.bucket_moves.customers is 'How many customers.';
