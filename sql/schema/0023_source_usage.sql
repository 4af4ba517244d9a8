-- How much of a source's daily requests is used, as it said last.

alter table pipeline.source_state add column requests_used bigint;
alter table pipeline.source_state add column requests_allowed bigint;
alter table pipeline.source_state add column usage_at timestamptz;
comment on column pipeline.source_state.requests_used is 'API requests that the whole organization made within 24 hours, as the source said last; null: it does not say.';
comment on column pipeline.source_state.requests_allowed is 'How many it allows within 24 hours.';
comment on column pipeline.source_state.usage_at is 'The now of the run that was told.';
