-- :customers rows of me_status as the refresh would leave them, documents of 1.3 kB; both sources just synced.
insert into me_status (
    customer_id, salesforce_account_id, eligibility_status, verification_status, task_count, top_task_type, document,
    content_hash, computed_at, rules_version, run_id
)
select
    customer.id, customer.id, 'eligible', 'verified', 1, 'invoice_due',
    cast(replace(cast(:document as text), 'CUSTOMER', customer.id) as json), md5(customer.id), now(), 'bench', 1
from generate_series(1, cast(:customers as bigint)) as n
cross join lateral (select '001' || lpad(cast(n as text), 12, '0') || 'AAA' as id) as customer;

insert into job_run (job, started_at, finished_at, outcome) values ('refresh', now(), now(), 'succeeded');

update pipeline.source_state set synced_at = now();
