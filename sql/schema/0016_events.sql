-- Channels of Salesforce events: how far each was read. Written in the transaction that notes the hints of its events.

create table pipeline.event_channel (
    topic text not null primary key,
    replay_id bytea,
    heard_at timestamptz,
    events bigint not null default 0,
    broken bigint not null default 0,
    lost bigint not null default 0,
    pull_since timestamptz,
    error text,
    failed_at timestamptz
);
comment on table pipeline.event_channel is 'Channels of Salesforce events that are or were listened to.';
comment on column pipeline.event_channel.topic is 'Key: the channel, such as /data/AccountChangeEvent.';
comment on column pipeline.event_channel.replay_id is 'Opaque; the stream goes on after it. Null: it starts at the newest event, after a pull was called for.';
comment on column pipeline.event_channel.heard_at is 'The database''s clock at the last response, an empty one included.';
comment on column pipeline.event_channel.events is 'Events received.';
comment on column pipeline.event_channel.broken is 'Those of them that could not be read and were passed over.';
comment on column pipeline.event_channel.lost is 'How often events were lost or named nobody, so that a pull was called for.';
comment on column pipeline.event_channel.pull_since is 'Since when a pull is called for; null when none is.';
comment on column pipeline.event_channel.error is 'What the stream ended with last, until it goes on.';
comment on column pipeline.event_channel.failed_at is 'The database''s clock then.';
