-- What is left of the day's deliveries of Salesforce's events, which all subscribers of the org share.

alter table pipeline.event_channel add column deliveries_left bigint;
alter table pipeline.event_channel add column deliveries_limit bigint;
alter table pipeline.event_channel add column deliveries_at timestamptz;
comment on column pipeline.event_channel.deliveries_left is 'Deliveries that the org had left of its 24 hours, all its subscribers together, when last asked; null: it did not say.';
comment on column pipeline.event_channel.deliveries_limit is 'Of how many.';
comment on column pipeline.event_channel.deliveries_at is 'The database''s clock when the org was asked.';
