-- How a customer and its WHMCS client find each other. Two rules are served by the same views: an account names its
-- client (account.whmcs_client_id), or a client names its account by id or number (client.account_reference); whichever
-- rule is not configured has nulls in its column and so no claims.

create view pipeline.claim as
select account.account_id as customer_id, account.whmcs_client_id as client_id
from snapshot.account
where account.is_customer and account.whmcs_client_id is not null
union all
select account.account_id as customer_id, client.client_id
from snapshot.client
join snapshot.account on account.account_id = client.account_reference
where account.is_customer and account.whmcs_client_id is distinct from client.client_id
union all
select account.account_id as customer_id, client.client_id
from snapshot.client
join snapshot.account on account.account_number = client.account_reference
where
    account.is_customer
    and account.account_id <> client.account_reference
    and account.whmcs_client_id is distinct from client.client_id;
comment on view pipeline.claim is 'Which customer and which WHMCS client name each other, each pair once, in doubt or not. Fast by customer_id and by client_id.';
comment on column pipeline.claim.customer_id is 'The account (one that the account filter admits).';
comment on column pipeline.claim.client_id is 'The WHMCS client, present in the snapshot or not.';

create view pipeline.link as
select
    account.account_id as customer_id,
    case when claims.state = 'linked' then claims.client_id end as client_id,
    claims.state
from snapshot.account
cross join lateral (
    select
        min(claim.client_id) as client_id,
        case
            when count(*) = 0 then 'none'
            when count(*) > 1 or bool_or(claim.has_rival) then 'conflict'
            when not bool_or(claim.is_present) then 'dangling'
            else 'linked'
        end as state
    from (
        select
            own.client_id,
            exists (
                select 1 from pipeline.claim as rival
                where rival.client_id = own.client_id and rival.customer_id <> own.customer_id
            ) as has_rival,
            exists (select 1 from snapshot.client where client.client_id = own.client_id) as is_present
        from pipeline.claim as own
        where own.customer_id = account.account_id
    ) as claim
) as claims
where account.is_customer;
comment on view pipeline.link is 'The link of each customer to its WHMCS client, one row per customer. Fast by customer_id; from a client, start at pipeline.claim.';
comment on column pipeline.link.customer_id is 'The customer: every account that the account filter admits.';
comment on column pipeline.link.client_id is 'Its WHMCS client; null unless state is linked, so that a join on it never shows another customer''s data.';
comment on column pipeline.link.state is 'linked; none (no claim); dangling (the client is not in the snapshot); conflict (two customers on one client, or two clients of one customer: neither is served billing data).';

create view pipeline.link_problem as
with counted_claim as (
    select
        claim.customer_id,
        claim.client_id,
        count(*) over (partition by claim.customer_id) as clients,
        count(*) over (partition by claim.client_id) as customers
    from pipeline.claim
),

in_conflict as (
    select counted_claim.customer_id
    from counted_claim
    where counted_claim.clients > 1 or counted_claim.customers > 1
),

client_baseline as (
    select 1 from pipeline.stream_state where stream_state.stream = 'client'
)

select 'conflict' as problem, counted_claim.customer_id, counted_claim.client_id
from counted_claim
where counted_claim.customer_id in (select in_conflict.customer_id from in_conflict)
union all
select 'dangling' as problem, counted_claim.customer_id, counted_claim.client_id
from counted_claim
where
    counted_claim.clients = 1
    and counted_claim.customers = 1
    and exists (select 1 from client_baseline)
    and not exists (select 1 from snapshot.client where client.client_id = counted_claim.client_id)
union all
select 'unlinked_client' as problem, null as customer_id, client.client_id
from snapshot.client
where not exists (select 1 from counted_claim where counted_claim.client_id = client.client_id);
comment on view pipeline.link_problem is 'What the operator should put right in the links: conflicts (one row per claim), dangling links, and clients no customer claims. Reads everything.';
comment on column pipeline.link_problem.problem is 'conflict, dangling or unlinked_client.';
comment on column pipeline.link_problem.customer_id is 'The customer; null for an unlinked client.';
comment on column pipeline.link_problem.client_id is 'The WHMCS client named.';
