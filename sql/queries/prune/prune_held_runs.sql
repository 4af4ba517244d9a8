-- Deletes old decisions on held runs.
-- :before  instant; older ones go
-- :rows    how many rows at most
with old_held as (
    select held_run.run_id
    from pipeline.held_run
    where held_run.decided_at < :before
    limit :rows
)

delete from pipeline.held_run
using old_held
where held_run.run_id = old_held.run_id
