-- Grain: one change of one row of a published table.
create or replace view analytics.change_feed as
select
    change.feed_id,
    change.table_name,
    change.key,
    change.operation,
    change.changed_at
from pipeline.change;
comment on view analytics.change_feed is 'One row per change of a row of a published table, in the order of commits. Ask for feed_id above the last you saw: nothing is missed, whatever commits beside you. Answers at once by feed_id.';
comment on column analytics.change_feed.feed_id is 'Key, ascending in the order of commits; numbers may be left out. What settings.change_feed_complete_after names and all below it has been pruned.';
comment on column analytics.change_feed.table_name is 'me_status, me_status_history, status_transition, notification or job_run.';
comment on column analytics.change_feed.key is 'The key of the row, as text: customer_id, version_id, transition_id, notification_id or run_id.';
comment on column analytics.change_feed.operation is 'insert, update or delete. Read the row for the first two: it may have changed again since.';
comment on column analytics.change_feed.changed_at is 'Wall-clock start of the transaction, as in the row''s own changed_at; not in the order of commits.';
