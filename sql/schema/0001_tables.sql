-- The first schema: the published tables (public), what was last known of the sources (snapshot) and the
-- bookkeeping of the jobs (pipeline). Every id column that orders work is collated "C", so that PostgreSQL, Arrow and
-- Python agree on the order of keys.

create schema snapshot;
comment on schema snapshot is 'The last known rows of each stream, one table per stream, keyed by the source''s id.';
create schema pipeline;
comment on schema pipeline is 'Bookkeeping of the jobs: cursors, marks, notifications under way. Nothing here is published.';
create schema analytics;
comment on schema analytics is 'Views for analysts over the published tables.';

-- The ledger ---------------------------------------------------------------------------------------------------------

create table job_run (
    run_id bigint generated always as identity primary key,
    job text not null check (job in ('sync-salesforce', 'sync-whmcs', 'refresh', 'prune', 'rebuild', 'announce')),
    due_at timestamptz,
    started_at timestamptz not null,
    finished_at timestamptz,
    outcome text not null check (outcome in ('running', 'succeeded', 'failed', 'held', 'discarded')),
    counts json not null default '{}',
    error text,
    constraint job_run_slot unique (job, due_at),
    constraint job_run_finished check ((outcome = 'running') = (finished_at is null))
);
create index job_run_recent on job_run (job, run_id desc);
comment on table job_run is 'One execution of a job: when it was due, when it ran, how it ended and what it counted.';
comment on column job_run.run_id is 'Key, ascending in the order of starting.';
comment on column job_run.job is 'sync-salesforce, sync-whmcs, refresh, prune, rebuild or announce.';
comment on column job_run.due_at is 'The slot of the schedule this run filled (one run per job and slot); null for a run by hand.';
comment on column job_run.started_at is 'When the run started: its now, which --as-of may set.';
comment on column job_run.finished_at is 'started_at plus the time the run took; null while it runs.';
comment on column job_run.outcome is 'running, succeeded, failed, held (a gate stopped it and waits for the operator) or discarded (a held run that was not released).';
comment on column job_run.counts is 'What the run read, changed and sent, by name.';
comment on column job_run.error is 'Why the run failed or was held, in words for the operator; never personal data.';

-- The published read model -------------------------------------------------------------------------------------------

create table me_status (
    customer_id text collate "C" primary key,
    salesforce_account_id text collate "C" not null,
    whmcs_client_id bigint,
    eligibility_status text not null,
    verification_status text not null,
    payment_method_count integer,
    active_service_count integer,
    open_order_count integer,
    open_case_count integer,
    unpaid_invoice_count integer,
    overdue_invoice_count integer,
    amount_due numeric,
    currency text,
    next_invoice_id bigint,
    next_invoice_due_date date,
    next_invoice_amount numeric,
    task_count integer not null,
    top_task_type text,
    document json not null,
    content_hash text not null,
    computed_at timestamptz not null,
    next_change_at timestamptz,
    next_notification_at timestamptz,
    rules_version text not null,
    run_id bigint not null
);
create index me_status_next_change on me_status (next_change_at) where next_change_at is not null;
create index me_status_next_notification on me_status (next_notification_at) where next_notification_at is not null;
comment on table me_status is 'The read model: one row per customer, computed by refresh and served by the API as it stands.';
comment on column me_status.customer_id is 'Key: the Salesforce Account id, 18 characters.';
comment on column me_status.salesforce_account_id is 'The Salesforce Account id, 18 characters (today the same as customer_id).';
comment on column me_status.whmcs_client_id is 'The linked WHMCS client; null when there is none or the link is in doubt.';
comment on column me_status.eligibility_status is 'Internet eligibility: not_requested, pending, eligible, ineligible or unknown.';
comment on column me_status.verification_status is 'Residence-card verification: not_submitted, submitted, verified, rejected or unknown.';
comment on column me_status.payment_method_count is 'Stored payment methods, expired ones included; null when not known.';
comment on column me_status.active_service_count is 'Services with status Active; null when not known.';
comment on column me_status.open_order_count is 'Orders in progress; null when not known.';
comment on column me_status.open_case_count is 'Support cases not closed; null when not known.';
comment on column me_status.unpaid_invoice_count is 'Invoices with status Unpaid; null when not known.';
comment on column me_status.overdue_invoice_count is 'Unpaid invoices with a due date before today in the business zone; null when not known.';
comment on column me_status.amount_due is 'Sum of total over the unpaid invoices, in currency; null when not known.';
comment on column me_status.currency is 'ISO 4217 code of the unpaid invoices; null when none names one.';
comment on column me_status.next_invoice_id is 'The unpaid invoice with the earliest due date (ties: lowest id).';
comment on column me_status.next_invoice_due_date is 'Due date of next_invoice_id.';
comment on column me_status.next_invoice_amount is 'Total of next_invoice_id, in currency.';
comment on column me_status.task_count is 'How many tasks the document lists.';
comment on column me_status.top_task_type is 'Type of the first task; null when there is none.';
comment on column me_status.document is 'What GET /api/me/status serves, without its freshness part, byte for byte.';
comment on column me_status.content_hash is 'Hash of document; the API''s ETag.';
comment on column me_status.computed_at is 'The now of the computation.';
comment on column me_status.next_change_at is 'The earliest instant at which the same facts give another document; null: never.';
comment on column me_status.next_notification_at is 'The earliest instant at which the same facts give a time-driven notification; null: never.';
comment on column me_status.rules_version is 'Version of the rules, copy and business zone that made the document.';
comment on column me_status.run_id is 'The run that wrote the row.';

create table status_transition (
    transition_id bigint generated always as identity primary key,
    customer_id text collate "C",
    entity text not null check (entity in ('account', 'order', 'service', 'invoice', 'case')),
    entity_id text collate "C" not null,
    field text not null,
    old_value text,
    new_value text,
    observed_at timestamptz not null,
    source_changed_at timestamptz,
    run_id bigint not null,
    notification_type text,
    is_pending boolean not null default false
);
create index status_transition_customer on status_transition (customer_id, transition_id);
create index status_transition_entity on status_transition (entity, entity_id, transition_id);
create index status_transition_pending on status_transition (customer_id) where is_pending;
create index status_transition_observed on status_transition (observed_at);
comment on table status_transition is 'A change of a status that means something to a customer, as observed between two pulls.';
comment on column status_transition.transition_id is 'Key, ascending in the order of observation.';
comment on column status_transition.customer_id is 'The customer concerned when it was observed; null when there was none or the link was in doubt.';
comment on column status_transition.entity is 'What changed: account, order, service, invoice or case.';
comment on column status_transition.entity_id is 'Its id in its source.';
comment on column status_transition.field is 'Which of its fields changed.';
comment on column status_transition.old_value is 'The last known value before; null when there was none.';
comment on column status_transition.new_value is 'The value after; null when there is none.';
comment on column status_transition.observed_at is 'The now of the run that saw it.';
comment on column status_transition.source_changed_at is 'When the source says it changed; null when it does not say.';
comment on column status_transition.run_id is 'The run that saw it.';
comment on column status_transition.notification_type is 'The notification this transition calls for; null when it calls for none.';
comment on column status_transition.is_pending is 'True until a refresh has judged the notification it calls for.';

create table notification (
    notification_id uuid primary key default gen_random_uuid(),
    customer_id text collate "C" not null,
    type text not null,
    source_id text not null,
    title text not null,
    message text not null,
    action_url text not null,
    action_label text,
    created_at timestamptz not null,
    read_at timestamptz,
    dismissed_at timestamptz,
    resolved_at timestamptz,
    run_id bigint not null
);
create index notification_newest on notification (customer_id, created_at desc, notification_id desc);
create index notification_standing on notification (customer_id, type, source_id) where resolved_at is null;
create index notification_created on notification (created_at);
create index notification_unread on notification (customer_id)
where read_at is null and resolved_at is null and dismissed_at is null;
comment on table notification is 'An in-app message to one customer.';
comment on column notification.notification_id is 'Key.';
comment on column notification.customer_id is 'The customer it was sent to (after a merge: the surviving account).';
comment on column notification.type is 'One of the twelve types, such as INVOICE_DUE.';
comment on column notification.source_id is 'What it is about: an account, order, service, pay method, invoice or announcement id.';
comment on column notification.title is 'Headline as sent.';
comment on column notification.message is 'Text as sent.';
comment on column notification.action_url is 'Path in the portal.';
comment on column notification.action_label is 'Text of the link.';
comment on column notification.created_at is 'The now at which it was sent.';
comment on column notification.read_at is 'When the customer read it; null: unread.';
comment on column notification.dismissed_at is 'When the customer dismissed it; null: listed.';
comment on column notification.resolved_at is 'When what it speaks of was over; null: it stands.';
comment on column notification.run_id is 'The run that sent it.';

-- The snapshot -------------------------------------------------------------------------------------------------------

create table snapshot.account (
    account_id text collate "C" primary key,
    is_customer boolean not null,
    eligibility_word text,
    eligibility_status text not null,
    eligibility_known text,
    eligibility text,
    eligibility_requested_at timestamptz,
    eligibility_checked_at timestamptz,
    eligibility_notes text,
    verification_word text,
    verification_status text not null,
    verification_known text,
    verification_submitted_at timestamptz,
    verification_reviewed_at timestamptz,
    verification_notes text,
    whmcs_client_id bigint,
    account_number text,
    portal_user_id text collate "C",
    created_at timestamptz,
    modified_at timestamptz
);
create index account_client on snapshot.account (whmcs_client_id) where whmcs_client_id is not null;
create index account_number on snapshot.account (account_number) where account_number is not null;
create index account_portal_user on snapshot.account (portal_user_id) where portal_user_id is not null;
comment on table snapshot.account is 'Salesforce accounts as last pulled.';
comment on column snapshot.account.account_id is 'Account id, 18 characters.';
comment on column snapshot.account.is_customer is 'True when the configured filter admits the account.';
comment on column snapshot.account.eligibility_word is 'Eligibility status as the source words it.';
comment on column snapshot.account.eligibility_status is 'Eligibility status by the configured words; unknown for a word that no mapping knows.';
comment on column snapshot.account.eligibility_known is 'The last status that was not unknown: what the next one is compared with.';
comment on column snapshot.account.eligibility is 'What the address is eligible for, as the source words it.';
comment on column snapshot.account.eligibility_requested_at is 'When eligibility was asked for.';
comment on column snapshot.account.eligibility_checked_at is 'When eligibility was checked.';
comment on column snapshot.account.eligibility_notes is 'Notes on eligibility for the customer.';
comment on column snapshot.account.verification_word is 'Verification status as the source words it.';
comment on column snapshot.account.verification_status is 'Verification status by the configured words; unknown for a word that no mapping knows.';
comment on column snapshot.account.verification_known is 'The last status that was not unknown.';
comment on column snapshot.account.verification_submitted_at is 'When documents were submitted.';
comment on column snapshot.account.verification_reviewed_at is 'When documents were reviewed.';
comment on column snapshot.account.verification_notes is 'The reviewer''s message to the customer.';
comment on column snapshot.account.whmcs_client_id is 'The WHMCS client id the account claims; null when it claims none or none that is a number.';
comment on column snapshot.account.account_number is 'Account number, pulled only when the link rule needs it.';
comment on column snapshot.account.portal_user_id is 'The portal''s user id, when the mapping names a field for it.';
comment on column snapshot.account.created_at is 'CreatedDate.';
comment on column snapshot.account.modified_at is 'SystemModstamp of the row as stored.';

create table snapshot."order" (
    order_id text collate "C" primary key,
    account_id text collate "C",
    order_number text,
    status text,
    activation_status text,
    stage text not null check (stage in ('draft', 'in_progress', 'approved', 'activated', 'failed', 'closed', 'unknown')),
    effective_on date,
    created_at timestamptz,
    modified_at timestamptz
);
create index order_account on snapshot."order" (account_id);
comment on table snapshot."order" is 'Salesforce orders as last pulled.';
comment on column snapshot."order".order_id is 'Order id, 18 characters.';
comment on column snapshot."order".account_id is 'The account that ordered.';
comment on column snapshot."order".order_number is 'Order number shown to people.';
comment on column snapshot."order".status is 'Status as the source words it.';
comment on column snapshot."order".activation_status is 'Activation status as the source words it; null also where the org has no such field.';
comment on column snapshot."order".stage is 'Where the order stands, by the configured words of both fields.';
comment on column snapshot."order".effective_on is 'Start date of the order.';
comment on column snapshot."order".created_at is 'CreatedDate.';
comment on column snapshot."order".modified_at is 'SystemModstamp of the row as stored.';

create table snapshot."case" (
    case_id text collate "C" primary key,
    account_id text collate "C",
    case_number text,
    subject text,
    status text,
    is_closed boolean,
    created_at timestamptz,
    closed_at timestamptz,
    modified_at timestamptz
);
create index case_account on snapshot."case" (account_id);
comment on table snapshot."case" is 'Salesforce support cases as last pulled.';
comment on column snapshot."case".case_id is 'Case id, 18 characters.';
comment on column snapshot."case".account_id is 'The account the case is about.';
comment on column snapshot."case".case_number is 'Case number shown to people.';
comment on column snapshot."case".subject is 'Subject as the customer or agent wrote it.';
comment on column snapshot."case".status is 'Status as the source words it.';
comment on column snapshot."case".is_closed is 'IsClosed; null when the source did not say.';
comment on column snapshot."case".created_at is 'CreatedDate.';
comment on column snapshot."case".closed_at is 'ClosedDate.';
comment on column snapshot."case".modified_at is 'SystemModstamp of the row as stored.';

create table snapshot.client (
    client_id bigint primary key,
    status text,
    account_reference text collate "C"
);
create index client_account_reference on snapshot.client (account_reference) where account_reference is not null;
comment on table snapshot.client is 'WHMCS clients as last pulled; names and addresses are not kept.';
comment on column snapshot.client.client_id is 'Client id.';
comment on column snapshot.client.status is 'Status as WHMCS words it.';
comment on column snapshot.client.account_reference is 'The account id or number in the configured custom field; null under the other link rule.';

create table snapshot.invoice (
    invoice_id bigint primary key,
    client_id bigint not null,
    invoice_number text,
    status text,
    status_known text,
    invoiced_on date,
    due_on date,
    paid_at timestamptz,
    total numeric,
    currency text,
    created_at timestamptz
);
create index invoice_client on snapshot.invoice (client_id);
create index invoice_unpaid on snapshot.invoice (invoice_id) where status = 'Unpaid';
comment on table snapshot.invoice is 'WHMCS invoices as last pulled.';
comment on column snapshot.invoice.invoice_id is 'Invoice id.';
comment on column snapshot.invoice.client_id is 'The client billed.';
comment on column snapshot.invoice.invoice_number is 'Number shown to people; null unless the install numbers invoices.';
comment on column snapshot.invoice.status is 'Status as WHMCS words it.';
comment on column snapshot.invoice.status_known is 'The last status that is in WHMCS''s vocabulary.';
comment on column snapshot.invoice.invoiced_on is 'Invoice date.';
comment on column snapshot.invoice.due_on is 'Due date; null for a zero date.';
comment on column snapshot.invoice.paid_at is 'When it was paid; null for a zero date.';
comment on column snapshot.invoice.total is 'Total, in currency, with the digits the source wrote.';
comment on column snapshot.invoice.currency is 'ISO 4217 code; null when the source does not say.';
comment on column snapshot.invoice.created_at is 'When the row was made in WHMCS; null in old builds.';

create table snapshot.service (
    service_id bigint primary key,
    client_id bigint not null,
    status text,
    status_known text,
    product_name text,
    registered_on date,
    next_due_on date
);
create index service_client on snapshot.service (client_id);
comment on table snapshot.service is 'WHMCS services (a client''s products) as last pulled.';
comment on column snapshot.service.service_id is 'Service id.';
comment on column snapshot.service.client_id is 'The client it belongs to.';
comment on column snapshot.service.status is 'Status as WHMCS words it; null when missing or empty.';
comment on column snapshot.service.status_known is 'The last status that is in WHMCS''s vocabulary.';
comment on column snapshot.service.product_name is 'Name of the product.';
comment on column snapshot.service.registered_on is 'Registration date; null for a zero date.';
comment on column snapshot.service.next_due_on is 'Next due date; null for a zero date.';

create table snapshot.pay_method (
    pay_method_id bigint primary key,
    client_id bigint not null,
    kind text,
    card_last_four text,
    expires_on date
);
create index pay_method_client on snapshot.pay_method (client_id);
comment on table snapshot.pay_method is 'WHMCS pay methods as last read; tokens are never kept.';
comment on column snapshot.pay_method.pay_method_id is 'Pay method id.';
comment on column snapshot.pay_method.client_id is 'The client it belongs to.';
comment on column snapshot.pay_method.kind is 'CreditCard, RemoteCreditCard, BankAccount or RemoteBankAccount.';
comment on column snapshot.pay_method.card_last_four is 'Last four digits of a card.';
comment on column snapshot.pay_method.expires_on is 'Last day of the month a card expires in; null for what does not expire.';

create table snapshot.cancellation (
    cancellation_id bigint primary key,
    service_id bigint not null,
    kind text,
    requested_at timestamptz
);
create index cancellation_service on snapshot.cancellation (service_id);
comment on table snapshot.cancellation is 'WHMCS cancellation requests as last pulled; the reason is not kept.';
comment on column snapshot.cancellation.cancellation_id is 'Request id.';
comment on column snapshot.cancellation.service_id is 'The service to be cancelled.';
comment on column snapshot.cancellation.kind is 'Immediate or End of Billing Period.';
comment on column snapshot.cancellation.requested_at is 'When it was requested.';

-- Bookkeeping --------------------------------------------------------------------------------------------------------

create table pipeline.stream_state (
    stream text primary key,
    cursor_at timestamptz,
    synced_at timestamptz not null,
    full_at timestamptz,
    source_time timestamptz,
    fields text[] not null default '{}',
    run_id bigint not null
);
comment on table pipeline.stream_state is 'How far each stream has been pulled; a row exists from the baseline on.';
comment on column pipeline.stream_state.stream is 'Key: account, order, case, client, invoice, service, pay_method or cancellation.';
comment on column pipeline.stream_state.cursor_at is 'Highest SystemModstamp taken in; null for streams without one.';
comment on column pipeline.stream_state.synced_at is 'The now of the last good pull.';
comment on column pipeline.stream_state.full_at is 'The now of the last good full pull.';
comment on column pipeline.stream_state.source_time is 'The source''s own clock at the start of the last good pull.';
comment on column pipeline.stream_state.fields is 'Source fields the last good pull read; a field new in the list gets a baseline.';
comment on column pipeline.stream_state.run_id is 'The run that moved the row last.';

create table pipeline.source_state (
    source text primary key check (source in ('salesforce', 'whmcs')),
    synced_at timestamptz,
    organization_id text,
    failed_at timestamptz,
    error text
);
insert into pipeline.source_state (source) values ('salesforce'), ('whmcs');
comment on table pipeline.source_state is 'Health of each source: when all its streams were last good, and the last failure.';
comment on column pipeline.source_state.source is 'Key: salesforce or whmcs.';
comment on column pipeline.source_state.synced_at is 'The now of the last run that took in every stream; null before the first.';
comment on column pipeline.source_state.organization_id is 'The Salesforce organization last pulled; another one means all ids are new.';
comment on column pipeline.source_state.failed_at is 'The now of the last failed run; null when the last run was good.';
comment on column pipeline.source_state.error is 'What the last failed run said.';

create table pipeline.refresh_mark (
    customer_id text collate "C" primary key,
    marked_at timestamptz not null
);
comment on table pipeline.refresh_mark is 'Customers whose facts changed since their document was computed.';
comment on column pipeline.refresh_mark.customer_id is 'Key: the Salesforce Account id.';
comment on column pipeline.refresh_mark.marked_at is 'The now of the run that marked first.';

create table pipeline.account_redirect (
    account_id text collate "C" primary key,
    customer_id text collate "C" not null,
    merged_at timestamptz not null
);
create index account_redirect_customer on pipeline.account_redirect (customer_id);
comment on table pipeline.account_redirect is 'Merged accounts: where the losing account''s customer went.';
comment on column pipeline.account_redirect.account_id is 'Key: the losing account.';
comment on column pipeline.account_redirect.customer_id is 'The surviving account, at the end of any chain of merges.';
comment on column pipeline.account_redirect.merged_at is 'The now of the run that saw the merge.';

create table pipeline.pay_method_rota (
    client_id bigint primary key,
    read_at timestamptz not null
);
create index pay_method_rota_oldest on pipeline.pay_method_rota (read_at);
comment on table pipeline.pay_method_rota is 'When each client''s pay methods were last read; a client without a row was never read, so its count is not known.';
comment on column pipeline.pay_method_rota.client_id is 'Key: the WHMCS client.';
comment on column pipeline.pay_method_rota.read_at is 'The now of the run that read them.';

create table pipeline.refused_record (
    stream text not null,
    record_id text collate "C" not null,
    field text not null,
    reason text not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    run_id bigint not null,
    primary key (stream, record_id)
);
comment on table pipeline.refused_record is 'Records of a source that were set aside as malformed; a good reading removes the row.';
comment on column pipeline.refused_record.stream is 'Key, with record_id: the stream.';
comment on column pipeline.refused_record.record_id is 'Id of the record, or its place in the pull where the id is unreadable.';
comment on column pipeline.refused_record.field is 'The first field that was malformed.';
comment on column pipeline.refused_record.reason is 'What is wrong with it, without personal data.';
comment on column pipeline.refused_record.first_seen_at is 'The now of the run that refused it first.';
comment on column pipeline.refused_record.last_seen_at is 'The now of the run that refused it last.';
comment on column pipeline.refused_record.run_id is 'The run that refused it last.';

create table pipeline.notification_outbox (
    customer_id text collate "C" not null,
    type text not null,
    source_id text not null,
    title text not null,
    message text not null,
    action_url text not null,
    action_label text,
    window_seconds integer not null,
    decided_at timestamptz not null,
    run_id bigint not null,
    is_held boolean not null default false,
    primary key (customer_id, type, source_id)
);
create index notification_outbox_run on pipeline.notification_outbox (run_id);
comment on table pipeline.notification_outbox is 'Notifications decided and not yet sent: those of a run under way, and those of held runs.';
comment on column pipeline.notification_outbox.customer_id is 'Key, with type and source_id: the customer.';
comment on column pipeline.notification_outbox.type is 'The notification type.';
comment on column pipeline.notification_outbox.source_id is 'What it is about.';
comment on column pipeline.notification_outbox.title is 'Headline.';
comment on column pipeline.notification_outbox.message is 'Text.';
comment on column pipeline.notification_outbox.action_url is 'Path in the portal.';
comment on column pipeline.notification_outbox.action_label is 'Text of the link.';
comment on column pipeline.notification_outbox.window_seconds is 'Dedupe window of the type, in seconds.';
comment on column pipeline.notification_outbox.decided_at is 'The now of the refresh that decided it.';
comment on column pipeline.notification_outbox.run_id is 'The run it belongs to.';
comment on column pipeline.notification_outbox.is_held is 'True while the flood gate holds its run.';

create table pipeline.notification_window (
    customer_id text collate "C" not null,
    type text not null,
    source_id text not null,
    last_sent_at timestamptz,
    discarded_at timestamptz,
    primary key (customer_id, type, source_id)
);
comment on table pipeline.notification_window is 'Dedupe: when a type and source id was last sent to a customer; moved forward by an upsert whose where clause is the window.';
comment on column pipeline.notification_window.customer_id is 'Key, with type and source_id: the customer.';
comment on column pipeline.notification_window.type is 'The notification type.';
comment on column pipeline.notification_window.source_id is 'What it is about.';
comment on column pipeline.notification_window.last_sent_at is 'created_at of the last one sent; null when none was.';
comment on column pipeline.notification_window.discarded_at is 'When the operator last discarded a held one; reminders count from it, dedupe does not.';

create table pipeline.swallowed_notification (
    swallowed_id bigint generated always as identity primary key,
    customer_id text collate "C" not null,
    type text not null,
    source_id text not null,
    swallowed_at timestamptz not null,
    reason text not null check (reason in ('window', 'held', 'discarded')),
    passes_at timestamptz,
    run_id bigint not null
);
create index swallowed_notification_customer on pipeline.swallowed_notification (customer_id, swallowed_at desc);
create index swallowed_notification_at on pipeline.swallowed_notification (swallowed_at);
comment on table pipeline.swallowed_notification is 'Notifications that were decided and not sent, and why.';
comment on column pipeline.swallowed_notification.swallowed_id is 'Key.';
comment on column pipeline.swallowed_notification.customer_id is 'The customer.';
comment on column pipeline.swallowed_notification.type is 'The notification type.';
comment on column pipeline.swallowed_notification.source_id is 'What it would have been about.';
comment on column pipeline.swallowed_notification.swallowed_at is 'The now at which it was swallowed.';
comment on column pipeline.swallowed_notification.reason is 'window: one was sent within the dedupe window; held: the same one already waits in a held run; discarded: the operator discarded its run.';
comment on column pipeline.swallowed_notification.passes_at is 'When the window would have let it pass; null where the window is not the reason.';
comment on column pipeline.swallowed_notification.run_id is 'The run that decided it.';

create table pipeline.sent_count (
    run_id bigint not null,
    type text not null,
    sent_at timestamptz not null,
    sent integer not null,
    primary key (run_id, type)
);
comment on table pipeline.sent_count is 'How many notifications of a type each run sent: what the flood gate compares with.';
comment on column pipeline.sent_count.run_id is 'Key, with type: the run.';
comment on column pipeline.sent_count.type is 'The notification type.';
comment on column pipeline.sent_count.sent_at is 'The now of the sending.';
comment on column pipeline.sent_count.sent is 'How many.';

create table pipeline.held_run (
    run_id bigint primary key,
    gate text not null check (gate in ('flood', 'shrink')),
    source text,
    summary json not null,
    held_at timestamptz not null,
    decision text check (decision in ('released', 'discarded', 'superseded')),
    decided_at timestamptz,
    constraint held_run_decided check ((decision is null) = (decided_at is null))
);
comment on table pipeline.held_run is 'Runs that a gate stopped, and what the operator decided.';
comment on column pipeline.held_run.run_id is 'Key: the run.';
comment on column pipeline.held_run.gate is 'flood (too many notifications) or shrink (too many removals).';
comment on column pipeline.held_run.source is 'The source whose removals are held; null for the flood gate.';
comment on column pipeline.held_run.summary is 'What would happen on release, by name and count, with the limit that tripped.';
comment on column pipeline.held_run.held_at is 'The now at which it was held.';
comment on column pipeline.held_run.decision is 'released, discarded or superseded (a later complete pull made it void); null while it waits.';
comment on column pipeline.held_run.decided_at is 'When it was decided.';

create table pipeline.held_removal (
    run_id bigint not null,
    stream text not null,
    record_id text collate "C" not null,
    primary key (run_id, stream, record_id)
);
comment on table pipeline.held_removal is 'Rows that a held full pull found gone: removed on release.';
comment on column pipeline.held_removal.run_id is 'Key, with stream and record_id: the held run.';
comment on column pipeline.held_removal.stream is 'The stream.';
comment on column pipeline.held_removal.record_id is 'The id of the row, as text.';

create table pipeline.run_unit (
    run_id bigint not null,
    unit text not null,
    counts json not null,
    committed_at timestamptz not null default now(),
    primary key (run_id, unit)
);
comment on table pipeline.run_unit is 'Units of work (a window of a stream, a batch of customers) that a run has committed: the second commit of one is a no-op.';
comment on column pipeline.run_unit.run_id is 'Key, with unit: the run.';
comment on column pipeline.run_unit.unit is 'Name of the unit within its run.';
comment on column pipeline.run_unit.counts is 'What the unit counted.';
comment on column pipeline.run_unit.committed_at is 'Wall-clock time of the commit.';
