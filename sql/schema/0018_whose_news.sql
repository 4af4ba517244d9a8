-- Whose news: a notification about a WHMCS record is listed only while the client it came from is the customer's.

alter table notification add column client_id bigint;
comment on column notification.client_id is 'The WHMCS client whose record it is about; null when it is about none, or from before this was noted and not known since.';

create function pipeline.client_of_news(type text, source_id text) returns bigint language sql stable as $$
    select case
        when type = 'INVOICE_DUE'
            then (select invoice.client_id from snapshot.invoice where invoice.invoice_id = cast(source_id as bigint))
        when type in ('CANCELLATION_SCHEDULED', 'CANCELLATION_COMPLETE')
            then (select service.client_id from snapshot.service where service.service_id = cast(source_id as bigint))
        when type = 'PAYMENT_METHOD_EXPIRING' then (
            select pay_method.client_id from snapshot.pay_method where pay_method.pay_method_id = cast(source_id as bigint)
        )
    end
$$;
comment on function pipeline.client_of_news(text, text) is 'The WHMCS client that the record a notification is about belongs to; null when there is none.';

update notification
set client_id = pipeline.client_of_news(notification.type, notification.source_id)
where
    notification.type in ('INVOICE_DUE', 'CANCELLATION_SCHEDULED', 'CANCELLATION_COMPLETE', 'PAYMENT_METHOD_EXPIRING')
    and notification.source_id ~ '^[0-9]{1,18}$';
