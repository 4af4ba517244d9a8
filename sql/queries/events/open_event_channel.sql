-- The channel's replay id; a channel without one starts at the newest event, so that a pull is called for.
-- :topic  the channel
insert into pipeline.event_channel (topic, pull_since)
values (cast(:topic as text), statement_timestamp())
on conflict (topic) do update
    set
        pull_since = case
            when event_channel.replay_id is null then coalesce(event_channel.pull_since, excluded.pull_since)
            else event_channel.pull_since
        end
returning replay_id
