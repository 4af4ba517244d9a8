-- :customers customers whose rows are written straight into the snapshot: 5 invoices and 1.5 services each on average,
-- a fifth with an unpaid invoice, some with orders, cases, cards. A customer's invoices lie a month apart, as invoices do.
insert into snapshot.account (
    account_id, is_customer, eligibility_word, eligibility_status, eligibility_known, eligibility,
    eligibility_requested_at, eligibility_checked_at, verification_word, verification_status, verification_known,
    verification_submitted_at, verification_reviewed_at, whmcs_client_id, created_at, modified_at
)
select
    '001' || lpad(cast(n as text), 12, '0') || 'AAA', true,
    eligibility.word, eligibility.word, eligibility.word, case when eligibility.word = 'eligible' then '10G' end,
    made.at, made.at + interval '2 days',
    verification.word, verification.word, verification.word, made.at, made.at + interval '3 days',
    1000 + n, made.at, made.at + interval '3 days'
from generate_series(1, cast(:customers as bigint)) as n
cross join lateral (
    select timestamptz '2024-01-01 00:00:00Z' + n % 500 * interval '1 day' + n % 86400 * interval '1 second' as at
) as made
cross join lateral (
    select case n % 20 when 0 then 'pending' when 1 then 'ineligible' else 'eligible' end as word
) as eligibility
cross join lateral (
    select case n % 50 when 0 then 'rejected' when 1 then 'submitted' else 'verified' end as word
) as verification;

insert into snapshot.client (client_id, status)
select 1000 + n, 'Active' from generate_series(1, cast(:customers as bigint)) as n;

insert into snapshot.invoice (
    invoice_id, client_id, invoice_number, status, status_known, invoiced_on, due_on, paid_at, total, currency, created_at
)
select
    100000 + month * cast(:customers as bigint) + n, 1000 + n,
    '2026-' || cast(100000 + month * cast(:customers as bigint) + n as text),
    invoice.status, invoice.status, invoice.made_on, invoice.made_on + 30,
    case when invoice.status = 'Paid' then invoice.made_on + interval '20 days 10 hours' end,
    cast(1000 + n % 9000 as numeric(12, 2)), 'JPY', invoice.made_on + time '03:00:12'
from generate_series(0, 4) as month
cross join generate_series(1, cast(:customers as bigint)) as n
cross join lateral (
    select
        date '2026-06-01' + month * 30 + cast(n % 28 as integer) as made_on,
        case
            when month = 4 and n % 10 < 2 then 'Unpaid'
            when month = 2 and n % 97 = 0 then 'Unpaid'
            when month = 3 and n % 50 = 0 then 'Cancelled'
            else 'Paid'
        end as status
) as invoice;

insert into snapshot.service (service_id, client_id, status, status_known, product_name, registered_on, next_due_on)
select
    5000 + kind * cast(:customers as bigint) + n, 1000 + n, service.status, service.status,
    case kind when 0 then 'Hikari 1G' else 'SIM 20GB' end,
    date '2025-01-01' + cast(n % 300 as integer), date '2026-12-01' + cast(n % 28 as integer)
from generate_series(0, 1) as kind
cross join generate_series(1, cast(:customers as bigint)) as n
cross join lateral (
    select case when n % 30 = 0 then 'Suspended' when n % 41 = 0 then 'Cancelled' else 'Active' end as status
) as service
where kind = 0 or n % 2 = 0;

insert into snapshot."order" (
    order_id, account_id, order_number, status, activation_status, stage, effective_on, created_at, modified_at
)
select
    '801' || lpad(cast(n as text), 12, '0') || 'AAA', '001' || lpad(cast(n as text), 12, '0') || 'AAA',
    lpad(cast(n as text), 8, '0'), 'Approved', 'Activated',
    case when n % 33 = 0 then 'in_progress' else 'activated' end,
    date '2025-01-01', timestamptz '2025-01-02 00:00:00Z', timestamptz '2025-01-05 00:00:00Z'
from generate_series(1, cast(:customers as bigint)) as n
where n % 4 <> 0;

insert into snapshot."case" (
    case_id, account_id, case_number, subject, status, is_closed, created_at, closed_at, modified_at
)
select
    '500' || lpad(cast(n as text), 12, '0') || 'AAA', '001' || lpad(cast(n as text), 12, '0') || 'AAA',
    lpad(cast(n as text), 8, '0'), 'Slow connection', case when n % 9 = 0 then 'New' else 'Closed' end, n % 9 <> 0,
    timestamptz '2026-01-02 00:00:00Z', case when n % 9 <> 0 then timestamptz '2026-01-05 00:00:00Z' end,
    timestamptz '2026-01-05 00:00:00Z'
from generate_series(1, cast(:customers as bigint)) as n
where n % 3 = 0;

insert into snapshot.pay_method (pay_method_id, client_id, kind, card_last_four, expires_on)
select 7000 + n, 1000 + n, 'RemoteCreditCard', '4242', date '2028-01-31'
from generate_series(1, cast(:customers as bigint)) as n
where n % 10 <> 0;

insert into snapshot.cancellation (cancellation_id, service_id, kind, requested_at)
select n, 5000 + n, 'End of Billing Period', timestamptz '2026-11-01 00:00:00Z'
from generate_series(1, cast(:customers as bigint)) as n
where n % 200 = 0;

insert into pipeline.pay_method_reading (client_id, read_at)
select 1000 + n, timestamptz '2026-11-01 00:00:00Z' from generate_series(1, cast(:customers as bigint)) as n;

insert into pipeline.stream_state (stream, synced_at, run_id)
select unnest(array['account', 'order', 'case', 'client', 'invoice', 'service', 'pay_method', 'cancellation']),
    timestamptz '2026-11-20 11:55:00Z', 1;

update pipeline.source_state set synced_at = timestamptz '2026-11-20 11:55:00Z'
