-- Grain: one record, field and status that it was in, first observations included.
create or replace view analytics.time_in_status as
with record as (
    select
        'account' as entity, account.account_id as entity_id, 'eligibility_status' as field,
        account.eligibility_known as value, account.account_id as customer_id, account.created_at,
        account.eligibility_requested_at as asked_at, account.eligibility_checked_at as answered_at
    from snapshot.account
    where account.is_customer
    union all
    select
        'account', account.account_id, 'verification_status', account.verification_known, account.account_id,
        account.created_at, account.verification_submitted_at, account.verification_reviewed_at
    from snapshot.account
    where account.is_customer
    union all
    select
        'order', "order".order_id, 'status', "order".status, "order".account_id, "order".created_at, null, null
    from snapshot."order"
    union all
    select
        'order', "order".order_id, 'activation_status', "order".activation_status, "order".account_id,
        "order".created_at, null, null
    from snapshot."order"
    union all
    select 'case', "case".case_id, 'status', "case".status, "case".account_id, "case".created_at, null, null
    from snapshot."case"
    union all
    select
        'case', "case".case_id, 'is_closed', cast("case".is_closed as text), "case".account_id, "case".created_at,
        null, null
    from snapshot."case"
    union all
    select
        'invoice', cast(invoice.invoice_id as text), 'status', invoice.status_known, linked_client.customer_id,
        invoice.created_at, null, null
    from snapshot.invoice
    left join analytics.linked_client on linked_client.client_id = invoice.client_id
    union all
    select
        'service', cast(service.service_id as text), 'status', service.status_known, linked_client.customer_id,
        null, null, null
    from snapshot.service
    left join analytics.linked_client on linked_client.client_id = service.client_id
    union all
    select
        'service', cast(service.service_id as text), 'cancellation_requested', requested.kind,
        linked_client.customer_id, requested.requested_at, null, null
    from snapshot.service
    left join analytics.linked_client on linked_client.client_id = service.client_id
    left join (
        select
            cancellation.service_id,
            min(coalesce(cancellation.kind, 'unspecified')) as kind,
            min(cancellation.requested_at) as requested_at
        from snapshot.cancellation
        group by cancellation.service_id
    ) as requested
        on requested.service_id = service.service_id
        and (  -- of a service that was over at the baseline a request says nothing
            coalesce(service.status_known, '') not in ('Cancelled', 'Terminated')
            or exists (
                select 1
                from public.status_transition
                where
                    status_transition.entity = 'service'
                    and status_transition.entity_id = cast(service.service_id as text)
                    and status_transition.field = 'status'
            )
        )
),

opening as (
    select distinct on (status_transition.entity, status_transition.entity_id, status_transition.field)
        status_transition.entity,
        status_transition.entity_id,
        status_transition.field,
        status_transition.old_value,
        status_transition.customer_id,
        coalesce(status_transition.source_changed_at, status_transition.observed_at) as left_at
    from public.status_transition
    order by
        status_transition.entity, status_transition.entity_id, status_transition.field, status_transition.transition_id
),

first_status as (
    select
        entity,
        entity_id,
        field,
        coalesce(opening.customer_id, record.customer_id) as customer_id,
        case when opening.entity_id is null then record.value else opening.old_value end as status,
        record.created_at,
        case
            when field in ('eligibility_status', 'verification_status') then
                case case when opening.entity_id is null then record.value else opening.old_value end
                    when 'pending' then record.asked_at
                    when 'submitted' then record.asked_at
                    when 'not_requested' then record.created_at
                    when 'not_submitted' then record.created_at
                    else record.answered_at
                end
            else record.created_at
        end as source_at,
        opening.left_at,
        record.entity_id is null as is_gone
    from record
    full join opening using (entity, entity_id, field)
),

step as (
    select
        first_status.entity,
        first_status.entity_id,
        first_status.field,
        first_status.customer_id,
        first_status.status,
        cast(0 as bigint) as transition_id,
        cast(null as bigint) as run_id,
        true as is_first_observation,
        first_status.is_gone,
        case
            when first_status.source_at <= coalesce(first_status.left_at, 'infinity')
                and (
                    settings.transitions_whole_from is null
                    or cast(first_status.source_at at time zone settings.zone as date)
                    >= settings.transitions_whole_from
                )
                then first_status.source_at
        end as source_at,
        first_observation.observed_at
    from first_status
    cross join analytics.settings
    left join pipeline.first_observation
        on first_observation.entity = first_status.entity
        and first_observation.entity_id = first_status.entity_id
        and first_status.field <> 'cancellation_requested'
    union all
    select
        status_transition.entity,
        status_transition.entity_id,
        status_transition.field,
        status_transition.customer_id,
        status_transition.new_value,
        status_transition.transition_id,
        status_transition.run_id,
        false,
        false,
        status_transition.source_changed_at,
        status_transition.observed_at
    from public.status_transition
),

followed as (
    select
        step.*,
        bool_or(step.is_gone) over whole as is_record_gone,
        lead(step.transition_id) over following as next_id,
        lead(step.status) over following as next_status,
        lead(step.source_at) over following as next_source_at,
        lead(step.observed_at) over following as next_observed_at
    from step
    window
        whole as (partition by step.entity, step.entity_id, step.field),
        following as (partition by step.entity, step.entity_id, step.field order by step.transition_id)
),

service_end as (
    select
        status_transition.entity_id,
        status_transition.transition_id,
        status_transition.run_id,
        status_transition.observed_at
    from public.status_transition
    where
        status_transition.entity = 'service'
        and status_transition.field = 'status'
        and status_transition.new_value in ('Cancelled', 'Terminated')
),

span as (
    select
        followed.entity,
        followed.entity_id,
        followed.customer_id,
        followed.field,
        followed.status,
        case
            when followed.next_id is not null then followed.next_status
            when ended.status is not null then ended.status
            when followed.is_record_gone then 'gone'
        end as next_status,
        followed.is_first_observation,
        followed.next_id is null and ended.status is null and not followed.is_record_gone as is_current,
        followed.source_at as entered_source_at,
        followed.observed_at as entered_observed_at,
        followed.next_source_at as left_source_at,
        coalesce(followed.next_observed_at, ended.observed_at) as left_observed_at
    from followed
    left join lateral (
        select 'service ended' as status, min(service_end.observed_at) as observed_at
        from service_end
        where
            followed.field = 'cancellation_requested'
            and followed.next_id is null
            and service_end.entity_id = followed.entity_id
            and (service_end.transition_id > followed.transition_id or service_end.run_id = followed.run_id)
        having count(*) > 0
    ) as ended on true
    where followed.status is not null
),

timed as (
    select
        span.*,
        case
            when span.entered_source_at is not null
                and (span.is_current or span.left_source_at >= span.entered_source_at) then 'source'
            when span.entered_observed_at is not null
                and (span.is_current or span.left_observed_at >= span.entered_observed_at) then 'observed'
            else 'none'
        end as clock
    from span
)

select
    timed.entity,
    timed.entity_id,
    timed.customer_id,
    timed.field,
    timed.status,
    timed.next_status,
    timed.is_first_observation,
    timed.is_current,
    timed.clock,
    case timed.clock when 'source' then timed.entered_source_at when 'observed' then timed.entered_observed_at end
        as entered_at,
    case
        when timed.is_current then null
        when timed.clock = 'source' then timed.left_source_at
        when timed.clock = 'observed' then timed.left_observed_at
    end as left_at,
    extract(epoch from case
        when timed.is_current then null
        when timed.clock = 'source' then timed.left_source_at - timed.entered_source_at
        when timed.clock = 'observed' then timed.left_observed_at - timed.entered_observed_at
    end) / 3600 as hours,
    timed.entered_source_at,
    timed.left_source_at,
    timed.entered_observed_at,
    timed.left_observed_at
from timed;
comment on view analytics.time_in_status is 'One row per record, field and status that it was in, the first one seen included. Both ends are by one clock, never mixed. Between two pulls only the end of the way a status went is seen. Reads every record. Measured: one record (entity and entity_id) at once, all invoices in 60 s over 2.5 million; filtering on customer_id makes it no faster.';
comment on column analytics.time_in_status.entity is 'account, order, service, invoice or case.';
comment on column analytics.time_in_status.entity_id is 'Its id in its source.';
comment on column analytics.time_in_status.customer_id is 'The customer concerned; null when there was none.';
comment on column analytics.time_in_status.field is 'Which field.';
comment on column analytics.time_in_status.status is 'The status it was in.';
comment on column analytics.time_in_status.next_status is 'The status after it; service ended for a cancellation request whose service was cancelled or terminated; gone where the record left its source in it, or its account is no customer any more; null while it lasts, and where a request was withdrawn.';
comment on column analytics.time_in_status.is_first_observation is 'True for the status a record was in when first seen, or for the first one still known where older transitions were pruned: no transition, never notified.';
comment on column analytics.time_in_status.is_current is 'True while it lasts.';
comment on column analytics.time_in_status.clock is 'source (both ends as the source says), observed (both ends by the runs that saw them) or none (one end is known by neither).';
comment on column analytics.time_in_status.entered_at is 'When it was entered, by clock; null when clock is none.';
comment on column analytics.time_in_status.left_at is 'When it was left, by clock; null while it lasts, and when clock is none.';
comment on column analytics.time_in_status.hours is 'Hours from entered_at to left_at; null while it lasts.';
comment on column analytics.time_in_status.entered_source_at is 'When it was entered as the source says; null when it does not say. Of a first observation: when the record was created, or asked for and answered.';
comment on column analytics.time_in_status.left_source_at is 'When it was left as the source says.';
comment on column analytics.time_in_status.entered_observed_at is 'The now of the run that saw it; null for what was there at the baseline.';
comment on column analytics.time_in_status.left_observed_at is 'The now of the run that saw it left.';
