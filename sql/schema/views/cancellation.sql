-- Grain: one request to cancel a service.
create or replace view analytics.cancellation as
with request as (
    select
        status_transition.transition_id,
        status_transition.run_id,
        cast(status_transition.entity_id as bigint) as service_id,
        status_transition.customer_id,
        status_transition.new_value as kind,
        status_transition.source_changed_at as requested_at,
        status_transition.observed_at as seen_at,
        false as is_first_observation
    from public.status_transition
    where
        status_transition.entity = 'service'
        and status_transition.field = 'cancellation_requested'
        and status_transition.old_value is null
    union all
    (
        select distinct on (status_transition.entity_id)
            0,
            null,
            cast(status_transition.entity_id as bigint),
            status_transition.customer_id,
            status_transition.old_value,
            null,
            null,
            true
        from public.status_transition
        where status_transition.entity = 'service' and status_transition.field = 'cancellation_requested'
        order by status_transition.entity_id, status_transition.transition_id
    )
    union all
    select
        0,
        null,
        cancellation.service_id,
        linked_client.customer_id,
        min(coalesce(cancellation.kind, 'unspecified')),
        min(cancellation.requested_at),
        null,
        true
    from snapshot.cancellation
    left join snapshot.service on service.service_id = cancellation.service_id
    left join analytics.linked_client on linked_client.client_id = service.client_id
    where not exists (
        select 1
        from public.status_transition
        where
            status_transition.entity = 'service'
            and status_transition.entity_id = cast(cancellation.service_id as text)
            and status_transition.field = 'cancellation_requested'
    )
    group by cancellation.service_id, linked_client.customer_id
),

ended as (
    select
        cast(status_transition.entity_id as bigint) as service_id,
        status_transition.transition_id,
        status_transition.run_id,
        status_transition.observed_at,
        case when status_transition.field = 'status' then 'completed' else 'withdrawn' end as outcome
    from public.status_transition
    where
        status_transition.entity = 'service'
        and (
            (status_transition.field = 'status' and status_transition.new_value in ('Cancelled', 'Terminated'))
            or (status_transition.field = 'cancellation_requested' and status_transition.new_value is null)
        )
),

settled as (
    select distinct on (request.service_id, request.transition_id)
        request.*,
        ended.outcome,
        ended.observed_at as ended_at
    from request
    left join ended
        on ended.service_id = request.service_id
        and (
            ended.transition_id > request.transition_id
            or (ended.run_id = request.run_id and ended.outcome = 'completed')
        )
    where request.kind is not null
    order by request.service_id, request.transition_id, ended.observed_at, ended.outcome
)

select
    settled.service_id,
    settled.customer_id,
    settled.kind,
    settled.is_first_observation,
    settled.requested_at,
    settled.seen_at,
    cast(coalesce(settled.requested_at, settled.seen_at) at time zone settings.zone as date) as requested_on,
    coalesce(
        settled.outcome,
        case
            when service.status in ('Cancelled', 'Terminated') then 'completed'
            when service.service_id is null then 'gone'
        end,
        'open'
    ) as outcome,
    settled.ended_at,
    cast(settled.ended_at at time zone settings.zone as date) as ended_on,
    extract(epoch from settled.ended_at - settled.seen_at) / 86400 as days
from settled
cross join analytics.settings
left join snapshot.service on service.service_id = settled.service_id;
comment on view analytics.cancellation is 'One row per request to cancel a service: withdrawn, completed with the service, gone, or open. days go by the runs that saw both ends.';
comment on column analytics.cancellation.service_id is 'The service.';
comment on column analytics.cancellation.customer_id is 'The customer concerned then; null when there was none.';
comment on column analytics.cancellation.kind is 'Immediate, End of Billing Period or unspecified.';
comment on column analytics.cancellation.is_first_observation is 'True for a request that was there at the baseline, or when what prune left begins.';
comment on column analytics.cancellation.requested_at is 'When it was requested, as the source says; null when it does not.';
comment on column analytics.cancellation.seen_at is 'The now of the run that saw it; null for one of the baseline.';
comment on column analytics.cancellation.requested_on is 'Business day of requested_at, else of seen_at.';
comment on column analytics.cancellation.outcome is 'open, withdrawn (the request went), completed (the service is Cancelled or Terminated) or gone (the service is not among those last read).';
comment on column analytics.cancellation.ended_at is 'The now of the run that saw the outcome; null while open.';
comment on column analytics.cancellation.ended_on is 'Business day of ended_at.';
comment on column analytics.cancellation.days is 'Days from seen_at to ended_at; null while open, and for a request of the baseline.';
