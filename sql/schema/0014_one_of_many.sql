-- One of many: what cannot be read, or not be computed, is set aside by name and makes unknown whatever it would have
-- counted in, for its owner alone. And what is still to pay of an invoice, which its total does not say.

alter table pipeline.set_aside_record add column owner_id text collate "C";
alter table pipeline.set_aside_record add column is_known boolean not null default false;
alter table pipeline.set_aside_record add column read_at timestamptz;
create index set_aside_record_owner on pipeline.set_aside_record (owner_id, stream);
comment on table pipeline.set_aside_record is 'Records of a source that were set aside as malformed; a good reading removes the row.';
comment on column pipeline.set_aside_record.owner_id is 'The account, client or service id that leads to the customer, as text; null where it cannot be read.';
comment on column pipeline.set_aside_record.is_known is 'True when the snapshot keeps the values of an earlier good reading; otherwise what the record would have counted in is unknown.';
comment on column pipeline.set_aside_record.read_at is 'The now of the last good pull of the stream before it was set aside first; null when there was none.';

create table pipeline.failed_customer (
    customer_id text collate "C" primary key,
    reason text not null,
    failures integer not null,
    first_failed_at timestamptz not null,
    last_failed_at timestamptz not null,
    retry_at timestamptz not null,
    run_id bigint not null
);
create index failed_customer_retry on pipeline.failed_customer (retry_at);
comment on table pipeline.failed_customer is 'Customers whose document could not be computed: they keep the last one; a good refresh removes the row.';
comment on column pipeline.failed_customer.customer_id is 'Key: the Salesforce Account id.';
comment on column pipeline.failed_customer.reason is 'What went wrong last, without personal data.';
comment on column pipeline.failed_customer.failures is 'How often in a row.';
comment on column pipeline.failed_customer.first_failed_at is 'The now of the run that failed first.';
comment on column pipeline.failed_customer.last_failed_at is 'The now of the run that failed last.';
comment on column pipeline.failed_customer.retry_at is 'When a refresh tries again, unless the customer is marked before.';
comment on column pipeline.failed_customer.run_id is 'The run that failed last.';

create table pipeline.incomplete_stream (
    stream text primary key,
    reason text not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    run_id bigint not null
);
comment on table pipeline.incomplete_stream is 'Streams whose last pull failed or was not provably complete, so that nothing is removed; a complete pull removes the row.';
comment on column pipeline.incomplete_stream.stream is 'Key: the stream.';
comment on column pipeline.incomplete_stream.reason is 'What did not agree, or what the source answered.';
comment on column pipeline.incomplete_stream.first_seen_at is 'The now of the first such pull in a row.';
comment on column pipeline.incomplete_stream.last_seen_at is 'The now of the last one.';
comment on column pipeline.incomplete_stream.run_id is 'The run of the last one.';

-- Balances -----------------------------------------------------------------------------------------------------------

create table snapshot.balance (
    invoice_id bigint primary key,
    client_id bigint not null,
    balance numeric not null,
    is_mass_pay boolean not null,
    content_hash bigint
);
create index balance_client on snapshot.balance (client_id);
comment on table snapshot.balance is 'What is still to pay of invoices, as WHMCS said when each was asked for by itself.';
comment on column snapshot.balance.invoice_id is 'Invoice id.';
comment on column snapshot.balance.client_id is 'The client billed.';
comment on column snapshot.balance.balance is 'What is still to pay, with the digits the source wrote.';
comment on column snapshot.balance.is_mass_pay is 'True for an invoice over other invoices (its items are of type Invoice), which counts nowhere.';
comment on column snapshot.balance.content_hash is 'Hash of the row''s compared values; null: not computed yet.';

create table pipeline.balance_reading (
    invoice_id bigint primary key,
    read_at timestamptz not null,
    is_current boolean not null default true
);
comment on table pipeline.balance_reading is 'When the balance of each unpaid invoice was last read; one without a row was never asked for, so its total counts.';
comment on column pipeline.balance_reading.invoice_id is 'Key: the WHMCS invoice.';
comment on column pipeline.balance_reading.read_at is 'The now of the run that read it.';
comment on column pipeline.balance_reading.is_current is 'False when the invoice changed since: it is asked for in the next pull.';

-- Links --------------------------------------------------------------------------------------------------------------

alter table snapshot.account add column unreadable_link text;
create index account_unreadable_link on snapshot.account (account_id) where unreadable_link is not null;
comment on column snapshot.account.whmcs_client_id is 'The WHMCS client id the account claims; null when it claims none or none that can be read.';
comment on column snapshot.account.unreadable_link is 'What stands in the link field when it is neither empty nor a client id, shortened; else null.';

create or replace view pipeline.link as
select
    account.account_id as customer_id,
    case when claims.state = 'linked' then claims.client_id end as client_id,
    case when claims.state = 'none' and account.unreadable_link is not null then 'unreadable' else claims.state end as state
from snapshot.account
cross join lateral (
    select
        min(claim.client_id) as client_id,
        case
            when count(*) = 0 then 'none'
            when count(*) > 1 or bool_or(claim.has_rival) then 'conflict'
            when not bool_or(claim.is_present) then 'dangling'
            else 'linked'
        end as state
    from (
        select
            own.client_id,
            exists (
                select 1 from pipeline.claim as rival
                where rival.client_id = own.client_id and rival.customer_id <> own.customer_id
            ) as has_rival,
            exists (select 1 from snapshot.client where client.client_id = own.client_id) as is_present
        from pipeline.claim as own
        where own.customer_id = account.account_id
    ) as claim
) as claims
where account.is_customer;
comment on column pipeline.link.state is 'linked; none (no claim: the link is empty); unreadable (the link is not a client id); dangling (the client is not in the snapshot); conflict (two customers on one client, or two clients of one customer: neither is served billing data).';
