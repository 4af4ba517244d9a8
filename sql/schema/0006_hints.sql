-- Hints: word that a customer's records may have changed in their source. A hint names whom to read again, and is never
-- believed to say more. Whoever adds one wakes `me-status schedule`, which listens on the channel me_status_hint.

create table pipeline.hint (
    kind text not null check (kind in ('account', 'client')),
    subject_id text collate "C" not null,
    origin text not null check (origin in ('portal', 'whmcs', 'salesforce', 'operator', 'sync')),
    hints integer not null default 1,
    first_at timestamptz not null default clock_timestamp(),
    last_at timestamptz not null default clock_timestamp(),
    attempts integer not null default 0,
    not_before timestamptz,
    primary key (kind, subject_id, origin)
);
create index hint_oldest on pipeline.hint (first_at);
comment on table pipeline.hint is 'Customers whose records may have changed in their source, waiting to be read again; a row leaves when they were read after its last hint.';
comment on column pipeline.hint.kind is 'Key, with subject_id and origin: account (a Salesforce Account id of 18 characters) or client (a WHMCS client id).';
comment on column pipeline.hint.subject_id is 'The id, as text; it may name nobody.';
comment on column pipeline.hint.origin is 'Who gave it: portal, whmcs, salesforce, operator, or sync (a pull that saw something it cannot read whole).';
comment on column pipeline.hint.hints is 'How many came since the last reading.';
comment on column pipeline.hint.first_at is 'The database''s clock at the first of them.';
comment on column pipeline.hint.last_at is 'The database''s clock at the last of them.';
comment on column pipeline.hint.attempts is 'Readings that failed since, because a source did not answer.';
comment on column pipeline.hint.not_before is 'When the next attempt is allowed; null before the first failed one.';

create table pipeline.hint_count (
    origin text not null,
    outcome text not null check (outcome in ('read', 'unknown', 'expired')),
    hints bigint not null,
    primary key (origin, outcome)
);
comment on table pipeline.hint_count is 'How many hints were dealt with since the table was made.';
comment on column pipeline.hint_count.origin is 'Key, with outcome: who gave them.';
comment on column pipeline.hint_count.outcome is 'read (the records were read again), unknown (no source knows the id) or expired (too old to matter: the schedule has read everything since).';
comment on column pipeline.hint_count.hints is 'How many.';

create function pipeline.announce_hint() returns trigger language plpgsql as $$
begin
    perform pg_notify('me_status_hint', '');
    return null;
end
$$;
comment on function pipeline.announce_hint() is 'Wakes those who listen for hints.';

create trigger hint_announced after insert on pipeline.hint
for each statement execute function pipeline.announce_hint();

do $$
begin
    if exists (select from pg_roles where rolname = 'me_status_api') then
        grant usage on schema pipeline to me_status_api;
        grant select, insert, update on pipeline.hint to me_status_api;
        grant select on pipeline.hint_count to me_status_api;
    end if;
end
$$;
