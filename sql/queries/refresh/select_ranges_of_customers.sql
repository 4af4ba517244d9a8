-- The first and the last of each so many customers in order, with or without a row.
-- :size  customers in each range
with everyone as (
    select account.account_id as customer_id
    from snapshot.account
    where account.is_customer
    union
    select me_status.customer_id
    from me_status
),

numbered as (
    select
        everyone.customer_id,
        (row_number() over (order by everyone.customer_id) - 1) / cast(:size as bigint) as part
    from everyone
)

select min(numbered.customer_id) as first_id, max(numbered.customer_id) as last_id
from numbered
group by numbered.part
order by numbered.part
