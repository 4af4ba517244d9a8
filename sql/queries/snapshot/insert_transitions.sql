-- Stores transitions, one array per column, each with the customer its owner leads to at present.
-- :entities     account, order, service, invoice or case
-- :entity_ids   ids of the records
-- :owners       account, client or service id each belongs to
-- :fields       fields that changed
-- :old_values   values before
-- :new_values   values now
-- :changed_ats  when each changed in its source; null: not known
-- :types        notification type each calls for; null: none
-- :now          instant of the run
-- :run_id       the run
insert into status_transition (
    customer_id, entity, entity_id, field, old_value, new_value, observed_at, source_changed_at, run_id,
    notification_type, is_pending
)
with step as (
    select *
    from unnest(
        cast(:entities as text[]), cast(:entity_ids as text[]), cast(:owners as text[]), cast(:fields as text[]),
        cast(:old_values as text[]), cast(:new_values as text[]), cast(:changed_ats as timestamptz[]),
        cast(:types as text[])
    ) with ordinality as given (
        entity, entity_id, owner, field, old_value, new_value, source_changed_at, notification_type, place
    )
),

numbered_step as (
    select
        step.*,
        case when step.entity in ('service', 'invoice') then cast(step.owner as bigint) end as owner_id
    from step
),

owned_step as materialized (
    select
        numbered_step.*,
        case
            when numbered_step.field = 'cancellation_requested'
                then (
                    select service.client_id from snapshot.service where service.service_id = numbered_step.owner_id
                )
            else numbered_step.owner_id
        end as client_id,
        case
            when numbered_step.entity in ('account', 'order', 'case') then (
                select account.account_id
                from snapshot.account
                where account.account_id = numbered_step.owner and account.is_customer
            )
        end as account_id
    from numbered_step
),

claimed as materialized (
    select claim.customer_id, claim.client_id
    from pipeline.claim
    where claim.client_id = any(array(select distinct owned_step.client_id from owned_step))
),

linked as materialized (
    select link.customer_id, link.client_id
    from claimed
    cross join
        lateral (
            select link.customer_id, link.client_id
            from pipeline.link
            where link.customer_id = claimed.customer_id
        ) as link
    where link.client_id = claimed.client_id
)

select
    coalesce(owned_step.account_id, linked.customer_id) as customer_id,
    owned_step.entity,
    owned_step.entity_id,
    owned_step.field,
    owned_step.old_value,
    owned_step.new_value,
    :now as observed_at,
    owned_step.source_changed_at,
    :run_id,
    owned_step.notification_type,
    owned_step.notification_type is not null
    and coalesce(owned_step.account_id, linked.customer_id) is not null as is_pending
from owned_step
left join linked on linked.client_id = owned_step.client_id
order by owned_step.place
