-- :customers rows of me_status as the refresh would leave them, documents of 1.3 kB, and what their age rests on: five
-- invoices a client, the last of every fifth unpaid and its balance known; all streams and both sources just synced.
insert into me_status (
    customer_id, salesforce_account_id, whmcs_client_id, eligibility_status, verification_status, task_count,
    top_task_type, document, content_hash, computed_at, rules_version, run_id
)
select
    customer.id, customer.id, n, 'eligible', 'verified', 1,
    'invoice_due', cast(replace(cast(:document as text), 'CUSTOMER', customer.id) as json), md5(customer.id), now(),
    'bench', 1
from generate_series(1, cast(:customers as bigint)) as n
cross join lateral (select '001' || lpad(cast(n as text), 12, '0') || 'AAA' as id) as customer;

insert into snapshot.invoice (invoice_id, client_id, status, status_known, total, currency)
select month * cast(:customers as bigint) + n, n, invoice.status, invoice.status, 3300, 'JPY'
from generate_series(0, 4) as month
cross join generate_series(1, cast(:customers as bigint)) as n
cross join lateral (select case when month = 4 and n % 5 = 0 then 'Unpaid' else 'Paid' end as status) as invoice;

insert into pipeline.balance_reading (invoice_id, read_at)
select invoice_id, now() from snapshot.invoice where status = 'Unpaid';

insert into pipeline.pay_method_reading (client_id, read_at)
select n, now() from generate_series(1, cast(:customers as bigint)) as n;

insert into pipeline.stream_state (stream, synced_at, read_at, run_id)
select unnest(array['account', 'order', 'case', 'client', 'invoice', 'service', 'pay_method', 'cancellation']), now(), now(), 1;

insert into job_run (job, started_at, finished_at, outcome) values ('refresh', now(), now(), 'succeeded');

update pipeline.source_state set synced_at = now();
