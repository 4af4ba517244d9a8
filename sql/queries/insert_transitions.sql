-- Stores transitions given as arrays of equal length, each with the customer its :owners lead to at present (account, client or service id), of the run :run_id at :now.
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

step_of_client as (
    select
        numbered_step.*,
        case
            when numbered_step.field = 'cancellation_requested' then service.client_id
            else numbered_step.owner_id
        end as client_id
    from numbered_step
    left join snapshot.service
        on numbered_step.field = 'cancellation_requested' and service.service_id = numbered_step.owner_id
)

select
    coalesce(account.account_id, linked.customer_id) as customer_id,
    step_of_client.entity,
    step_of_client.entity_id,
    step_of_client.field,
    step_of_client.old_value,
    step_of_client.new_value,
    :now as observed_at,
    step_of_client.source_changed_at,
    :run_id as run_id,
    step_of_client.notification_type,
    step_of_client.notification_type is not null
    and coalesce(account.account_id, linked.customer_id) is not null as is_pending
from step_of_client
left join snapshot.account
    on
        step_of_client.entity in ('account', 'order', 'case')
        and account.account_id = step_of_client.owner
        and account.is_customer
left join lateral (
    select link.customer_id
    from pipeline.claim
    join pipeline.link on link.customer_id = claim.customer_id
    where claim.client_id = step_of_client.client_id and link.client_id = claim.client_id
) as linked on true
order by step_of_client.place;
