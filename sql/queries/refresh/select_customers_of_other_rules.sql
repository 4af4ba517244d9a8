-- Some of the customers whose document other rules made, but for those whose document fails: those are tried in turn.
-- :rules_version  version of the rules
-- :at_most        how many rows at most
with other as (
    select me_status.customer_id
    from me_status
    where me_status.rules_version < cast(:rules_version as text)
    union all
    select me_status.customer_id
    from me_status
    where me_status.rules_version > cast(:rules_version as text)
)

select other.customer_id
from other
where
    not exists (
        select 1 from pipeline.failed_customer
        where failed_customer.customer_id = other.customer_id
    )
limit cast(:at_most as bigint)
