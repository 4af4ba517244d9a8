-- Operating: paused jobs, what operators decided, heartbeats of schedulers, totals that only grow, alerts sent, and
-- which older programs may use this schema.

create table pipeline.job_pause (
    job text primary key,
    paused_at timestamptz,
    paused_until timestamptz,
    reason text,
    resumed_at timestamptz
);
comment on table pipeline.job_pause is 'Jobs that an operator paused: their slots are passed over. A row stays after the job was resumed.';
comment on column pipeline.job_pause.job is 'Key: the job.';
comment on column pipeline.job_pause.paused_at is 'Since when; null: not paused.';
comment on column pipeline.job_pause.paused_until is 'When the pause ends by itself; null: not before it is resumed.';
comment on column pipeline.job_pause.reason is 'Why, in the operator''s words.';
comment on column pipeline.job_pause.resumed_at is 'When it was last resumed; slots before are not missed ones.';

create table pipeline.operator_action (
    action_id bigint generated always as identity primary key,
    asked_at timestamptz not null default clock_timestamp(),
    action text not null check (action in ('release', 'discard', 'pause', 'resume', 'run')),
    job text,
    run_id bigint,
    until timestamptz,
    reason text,
    actor text not null,
    origin text not null check (origin in ('page', 'command')),
    constraint operator_action_subject check ((action in ('release', 'discard')) = (run_id is not null))
);
comment on table pipeline.operator_action is 'What operators decided, who and why. Rows are added and never changed.';
comment on column pipeline.operator_action.action_id is 'Key, ascending.';
comment on column pipeline.operator_action.asked_at is 'When it was decided, by the database''s clock.';
comment on column pipeline.operator_action.action is 'release or discard (a held run), pause, resume or run (a job).';
comment on column pipeline.operator_action.job is 'The job, of pause, resume and run.';
comment on column pipeline.operator_action.run_id is 'The held run, of release and discard.';
comment on column pipeline.operator_action.until is 'Of pause: when it ends by itself.';
comment on column pipeline.operator_action.reason is 'Why, in the operator''s words.';
comment on column pipeline.operator_action.actor is 'Who: the name given on the page, or the user of the command.';
comment on column pipeline.operator_action.origin is 'page or command.';

create table pipeline.operator_action_end (
    action_id bigint primary key references pipeline.operator_action,
    ended_at timestamptz not null default clock_timestamp(),
    outcome text not null check (outcome in ('done', 'failed')),
    detail text not null
);
comment on table pipeline.operator_action_end is 'What came of the actions; an action without a row waits for the scheduler. Rows are added and never changed.';
comment on column pipeline.operator_action_end.action_id is 'Key: the action.';
comment on column pipeline.operator_action_end.ended_at is 'When, by the database''s clock.';
comment on column pipeline.operator_action_end.outcome is 'done or failed.';
comment on column pipeline.operator_action_end.detail is 'What came of it, in words.';

create function pipeline.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'rows of % are added and never changed', tg_table_name;
end
$$;
comment on function pipeline.refuse_change() is 'Keeps a table append-only.';
create trigger operator_action_kept before update or delete or truncate on pipeline.operator_action
for each statement execute function pipeline.refuse_change();
create trigger operator_action_end_kept before update or delete or truncate on pipeline.operator_action_end
for each statement execute function pipeline.refuse_change();

create table pipeline.scheduler_heartbeat (
    scheduler text primary key,
    started_at timestamptz not null,
    beat_at timestamptz not null,
    version text not null
);
comment on table pipeline.scheduler_heartbeat is 'Schedulers that live: each moves its row every few seconds.';
comment on column pipeline.scheduler_heartbeat.scheduler is 'Key: host and process id.';
comment on column pipeline.scheduler_heartbeat.started_at is 'When it started.';
comment on column pipeline.scheduler_heartbeat.beat_at is 'Its last beat, by the database''s clock.';
comment on column pipeline.scheduler_heartbeat.version is 'The schema its program was written for.';

create table pipeline.total (
    metric text not null,
    label text not null,
    detail text not null,
    amount double precision not null,
    primary key (metric, label, detail)
);
comment on table pipeline.total is 'Totals that only grow, for metrics: the ledger is pruned, these are not.';
comment on column pipeline.total.metric is 'Key: what is counted.';
comment on column pipeline.total.label is 'Key: of which job, type or stream.';
comment on column pipeline.total.detail is 'Key: a second label, such as an outcome; empty where there is none.';
comment on column pipeline.total.amount is 'How many or how much since the table was made.';

create table pipeline.alert (
    alert_id bigint generated always as identity primary key,
    kind text not null check (kind in ('health', 'hold')),
    state text not null,
    detail json not null,
    made_at timestamptz not null default clock_timestamp(),
    sent_at timestamptz,
    attempts integer not null default 0,
    not_before timestamptz not null default clock_timestamp(),
    unique (kind, state)
);
comment on table pipeline.alert is 'Changes to be sent to ME_STATUS_ALERT_URL, once each.';
comment on column pipeline.alert.alert_id is 'Key, ascending.';
comment on column pipeline.alert.kind is 'health (the verdict changed) or hold (a run was held).';
comment on column pipeline.alert.state is 'What it is about: the held run, or the number of the change.';
comment on column pipeline.alert.detail is 'The body to send.';
comment on column pipeline.alert.made_at is 'When the change was seen.';
comment on column pipeline.alert.sent_at is 'When it was accepted; null while it waits.';
comment on column pipeline.alert.attempts is 'How often sending was tried.';
comment on column pipeline.alert.not_before is 'When the next attempt is allowed.';

create table pipeline.schema_promise (
    only_row boolean primary key default true check (only_row),
    oldest_program text not null
);
insert into pipeline.schema_promise (oldest_program) values ('0010');
comment on table pipeline.schema_promise is 'Which programs may use this schema: those written for a schema from oldest_program on. Steps that only add leave it; a step that takes away moves it to the first program that does without.';
comment on column pipeline.schema_promise.only_row is 'Key: there is one row.';
comment on column pipeline.schema_promise.oldest_program is 'The schema that the oldest such program was written for.';

do $$
begin
    if exists (select from pg_roles where rolname = 'me_status_api') then
        grant usage on schema pipeline to me_status_api;
        grant select on pipeline.job_pause, pipeline.operator_action, pipeline.operator_action_end,
            pipeline.scheduler_heartbeat, pipeline.total, pipeline.schema_promise to me_status_api;
        grant insert on pipeline.operator_action to me_status_api;
    end if;
end
$$;
