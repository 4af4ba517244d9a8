-- What analysts rely on is put in place anew by every `me-status migrate`: the views of sql/schema/views, one file each, and
-- the grants of sql/schema/roles.sql. The first views are dropped here; those of the same name come back mended.

drop view analytics.customers_by_state;
drop view analytics.overdue_by_age;
drop view analytics.amount_due_by_currency;
drop view analytics.transitions_per_day;
drop view analytics.notification_funnel;
drop view analytics.notifications_per_day;
drop view analytics.run_history;
drop view analytics.time_in_status;
drop view analytics.link_problems;

create table pipeline.published_source (
    is_only boolean primary key default true check (is_only),
    fingerprint text not null
);
comment on table pipeline.published_source is 'Which views and grants are in place: one row.';
comment on column pipeline.published_source.is_only is 'Key: always true.';
comment on column pipeline.published_source.fingerprint is 'Hash of the files that were applied last.';

create table pipeline.published_setting (
    is_only boolean primary key default true check (is_only),
    zone text not null default 'UTC',
    rules_version text,
    invoice_due_days integer not null default 7,
    card_expiring_days integer not null default 30,
    freshness_minutes json not null default '{"salesforce": 60, "whmcs": 60}',
    retention_days json not null default '{}'
);
insert into pipeline.published_setting default values;
comment on table pipeline.published_setting is 'The settings that figures depend on, as the last run had them: one row.';
comment on column pipeline.published_setting.is_only is 'Key: always true.';
comment on column pipeline.published_setting.zone is 'Business time zone, IANA name.';
comment on column pipeline.published_setting.rules_version is 'Version of the rules, copy and business zone; null before the first run.';
comment on column pipeline.published_setting.invoice_due_days is 'How many days before its due date an unpaid invoice counts as due.';
comment on column pipeline.published_setting.card_expiring_days is 'How many days before its end a card counts as expiring.';
comment on column pipeline.published_setting.freshness_minutes is 'After how many minutes data is stale, by what was read.';
comment on column pipeline.published_setting.retention_days is 'How many days history is kept, by kind.';

create table pipeline.pruned (
    kind text primary key,
    before timestamptz not null
);
comment on table pipeline.pruned is 'Up to which instant each kind of history has been pruned.';
comment on column pipeline.pruned.kind is 'Key: what prune counts under this name.';
comment on column pipeline.pruned.before is 'Rows before this instant may be gone.';

create table pipeline.first_observation (
    entity text not null check (entity in ('account', 'order', 'service', 'invoice', 'case')),
    entity_id text collate "C" not null,
    observed_at timestamptz not null,
    run_id bigint not null,
    primary key (entity, entity_id)
);
comment on table pipeline.first_observation is 'When a record that came after the baseline was first seen; never a transition, never notified.';
comment on column pipeline.first_observation.entity is 'Key, with entity_id: account, order, service, invoice or case.';
comment on column pipeline.first_observation.entity_id is 'Its id in its source.';
comment on column pipeline.first_observation.observed_at is 'The now of the run that saw it first.';
comment on column pipeline.first_observation.run_id is 'That run.';

create table pipeline.link_problem_since (
    problem text not null,
    customer_id text collate "C",
    client_id bigint not null,
    since timestamptz not null,
    run_id bigint not null,
    unique nulls not distinct (problem, customer_id, client_id)
);
comment on table pipeline.link_problem_since is 'Since when each link problem is known, kept by the syncs that change accounts or clients.';
comment on column pipeline.link_problem_since.problem is 'Key, with customer_id and client_id: as in pipeline.link_problem.';
comment on column pipeline.link_problem_since.customer_id is 'The customer; null for an unlinked client.';
comment on column pipeline.link_problem_since.client_id is 'The WHMCS client named.';
comment on column pipeline.link_problem_since.since is 'The now of the run that saw it first.';
comment on column pipeline.link_problem_since.run_id is 'That run.';
