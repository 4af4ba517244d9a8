-- Grain: one WHMCS service as last read.
create or replace view analytics.service as
select
    service.service_id,
    service.client_id,
    linked_client.customer_id,
    service.product_name,
    service.status,
    coalesce(service.status = 'Active', false) as is_active,
    exists (
        select 1 from snapshot.cancellation where cancellation.service_id = service.service_id
    ) as is_cancellation_requested,
    service.registered_on,
    service.next_due_on,
    settings.today - service.registered_on as days_since_registration
from snapshot.service
cross join analytics.settings
left join analytics.linked_client on linked_client.client_id = service.client_id;
comment on view analytics.service is 'One row per WHMCS service as last read. Measured: one customer at once, all in 4 s over 750,000.';
comment on column analytics.service.service_id is 'Key.';
comment on column analytics.service.client_id is 'The client it belongs to.';
comment on column analytics.service.customer_id is 'The customer it is served to; null when the client is linked to none, or in doubt.';
comment on column analytics.service.product_name is 'Name of the product.';
comment on column analytics.service.status is 'Status as WHMCS words it; null when missing.';
comment on column analytics.service.is_active is 'True for status Active.';
comment on column analytics.service.is_cancellation_requested is 'True while WHMCS lists a request to cancel it.';
comment on column analytics.service.registered_on is 'Registration date; null when there is none.';
comment on column analytics.service.next_due_on is 'Next due date; null when there is none.';
comment on column analytics.service.days_since_registration is 'Days from registration to settings.today.';
