-- Deletes versions of documents that ended long ago.
-- :before  those that ended before this
-- :rows  how many at most
with old_version as (
    select me_status_history.version_id
    from me_status_history
    where me_status_history.valid_to < :before
    limit :rows
)

delete from me_status_history
using old_version
where me_status_history.version_id = old_version.version_id
