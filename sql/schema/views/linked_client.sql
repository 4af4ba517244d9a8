-- Grain: one WHMCS client that is served to a customer.
create or replace view analytics.linked_client as
select
    me_status.whmcs_client_id as client_id,
    me_status.customer_id
from public.me_status
where
    me_status.whmcs_client_id is not null
    and not exists (
        select 1
        from public.me_status as rival
        where
            rival.whmcs_client_id = me_status.whmcs_client_id
            and rival.customer_id <> me_status.customer_id
    );
comment on view analytics.linked_client is 'One row per WHMCS client that is served to exactly one customer, as of that customer''s last refresh. A client whose link is in doubt is not here.';
comment on column analytics.linked_client.client_id is 'Key: the WHMCS client.';
comment on column analytics.linked_client.customer_id is 'The customer it is served to.';
