-- Marks customers for the next refresh, keeping the lock on existing marks so that none is lost.
-- A mark keeps how old the document is: from now on the facts are newer. One that comes out as it was is only locked.
-- :now           instant of the run
-- :customer_ids  Account ids of customers
with marked as (
    select distinct unnest(cast(:customer_ids as text[])) as customer_id
)

insert into pipeline.refresh_mark (
    customer_id, marked_at, account_at, salesforce_at, billing_at, pay_methods_at, balances_at
)
select
    marked.customer_id,
    cast(:now as timestamptz),
    fact_age.account_at,
    fact_age.salesforce_at,
    fact_age.billing_at,
    fact_age.pay_methods_at,
    fact_age.balances_at
from marked
left join pipeline.fact_age on fact_age.customer_id = marked.customer_id
order by marked.customer_id
on conflict (customer_id) do update
    set
        account_at = coalesce(refresh_mark.account_at, excluded.account_at),
        salesforce_at = coalesce(refresh_mark.salesforce_at, excluded.salesforce_at),
        billing_at = coalesce(refresh_mark.billing_at, excluded.billing_at),
        pay_methods_at = coalesce(refresh_mark.pay_methods_at, excluded.pay_methods_at),
        balances_at = coalesce(refresh_mark.balances_at, excluded.balances_at)
    where
    (refresh_mark.account_at is null and excluded.account_at is not null)
    or (refresh_mark.salesforce_at is null and excluded.salesforce_at is not null)
    or (refresh_mark.billing_at is null and excluded.billing_at is not null)
    or (refresh_mark.pay_methods_at is null and excluded.pay_methods_at is not null)
    or (refresh_mark.balances_at is null and excluded.balances_at is not null)
