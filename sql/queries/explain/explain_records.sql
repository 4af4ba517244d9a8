-- The records of an account and of its client, as last pulled.
-- :account_id  Account id of 18 characters
-- :client_id   WHMCS client id; null when it is not linked
select
    'order' as kind,
    order_id as record_id,
    status,
    activation_status as detail,
    cast(null as date) as due_on,
    modified_at
from snapshot."order"
where account_id = cast(:account_id as text)
union all
select 'case', case_id, status, case when is_closed then 'closed' else 'open' end, null, modified_at
from snapshot."case"
where account_id = cast(:account_id as text)
union all
select 'service', cast(service_id as text), status, null, null, null
from snapshot.service
where client_id = cast(:client_id as bigint)
union all
select
    'cancellation',
    cast(cancellation.cancellation_id as text),
    cancellation.kind,
    'of service ' || service.service_id,
    null,
    null
from snapshot.cancellation
inner join snapshot.service on service.service_id = cancellation.service_id
where service.client_id = cast(:client_id as bigint)
union all
select
    'invoice',
    cast(invoice_id as text),
    status,
    concat_ws(' ', total, currency, case when due_on is not null then 'due' end),
    due_on,
    null
from snapshot.invoice
where client_id = cast(:client_id as bigint)
union all
select
    'pay_method',
    cast(pay_method_id as text),
    kind,
    case when expires_on is not null then 'ends with' end,
    expires_on,
    null
from snapshot.pay_method
where client_id = cast(:client_id as bigint)
order by kind, record_id
