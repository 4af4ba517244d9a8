-- The orders, services and invoices of the account :account_id and its client :client_id (null for none), as last pulled.
select 'order' as kind, order_id as record_id, status, activation_status as detail, cast(null as date) as due_on
from snapshot."order"
where account_id = :account_id
union all
select 'case', case_id, status, case when is_closed then 'closed' else 'open' end, null
from snapshot."case"
where account_id = :account_id
union all
select 'service', cast(service_id as text), status, status_known, null
from snapshot.service
where client_id = cast(:client_id as bigint)
union all
select 'invoice', cast(invoice_id as text), status, concat_ws(' ', total, currency), due_on
from snapshot.invoice
where client_id = cast(:client_id as bigint)
union all
select 'pay_method', cast(pay_method_id as text), kind, 'expires', expires_on
from snapshot.pay_method
where client_id = cast(:client_id as bigint)
order by kind, record_id;
