-- Deletes old first observations.
-- :before  instant; older ones go
-- :rows    how many rows at most
with old_observation as (
    select first_observation.entity, first_observation.entity_id
    from pipeline.first_observation
    where first_observation.observed_at < :before
    limit :rows
)

delete from pipeline.first_observation
using old_observation
where
    first_observation.entity = old_observation.entity
    and first_observation.entity_id = old_observation.entity_id
