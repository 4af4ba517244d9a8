-- Every channel of Salesforce events: how far it was read, and what it ended with last.
select
    topic,
    heard_at,
    events,
    broken,
    lost,
    pull_since,
    error,
    failed_at,
    deliveries_left,
    deliveries_limit,
    deliveries_at
from pipeline.event_channel
order by topic
