-- Marks every account and every customer with a document for the next refresh; marks that are as they were are locked.
-- :now  instant of the run
with marked as (
    select account.account_id as customer_id
    from snapshot.account
    union
    select me_status.customer_id
    from me_status
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
