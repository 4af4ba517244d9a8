-- Readings of some customers beside those of whole streams: which one is the newer, and how old each fact is.

create table pipeline.owner_reading (
    stream text not null,
    owner_id text collate "C" not null,
    began_at timestamptz not null,
    read_at timestamptz not null,
    primary key (owner_id, stream)
);
create index owner_reading_began on pipeline.owner_reading (stream, began_at);
comment on table pipeline.owner_reading is 'When the records of one customer were last read by themselves, because of a hint; forgotten when the stream was read whole since.';
comment on column pipeline.owner_reading.stream is 'Key, with owner_id: the stream.';
comment on column pipeline.owner_reading.owner_id is 'The Salesforce account or the WHMCS client whose records were read, as text.';
comment on column pipeline.owner_reading.began_at is 'The database''s clock before the first call of the reading: what a pull that began earlier has read of this owner is older.';
comment on column pipeline.owner_reading.read_at is 'The now of the run that read them.';

alter table pipeline.stream_state add column read_at timestamptz;
alter table pipeline.stream_state add column applying_since timestamptz;
comment on column pipeline.stream_state.read_at is 'The now of the last pull after which everything of the stream was known as of then: a complete one, for the lists of WHMCS a full one.';
comment on column pipeline.stream_state.applying_since is 'The database''s clock before the first call of the last pull of the stream that began to change the snapshot: a hinted reading that began earlier is not applied.';
update pipeline.stream_state
set read_at = case when stream in ('account', 'order', 'case') then synced_at else full_at end;

alter table pipeline.hint add column sources text[] not null default '{salesforce,whmcs}';
comment on column pipeline.hint.sources is 'The sources still to be read since the last hint.';

alter table pipeline.source_state add column hint_attempts integer not null default 0;
alter table pipeline.source_state add column hints_after timestamptz;
comment on column pipeline.source_state.hint_attempts is 'Hinted readings that failed one after another because the source did not answer; a good one, or a good sync, sets it to 0.';
comment on column pipeline.source_state.hints_after is 'The database''s clock from which hinted readings may ask the source again; null when they may at once.';
