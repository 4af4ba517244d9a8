-- Deletes old transitions that no refresh still has to judge, but the last steps of services in the snapshot.
-- :before  instant; older ones go
-- :rows    how many rows at most
with old_transition as (
    select status_transition.transition_id
    from status_transition
    where
        status_transition.observed_at < :before
        and not status_transition.is_pending
        and not (
            status_transition.entity = 'service'
            and status_transition.field = 'status'
            and exists (
                select 1 from snapshot.service where cast(service.service_id as text) = status_transition.entity_id
            )
        )
    order by status_transition.observed_at
    limit :rows
)

delete from status_transition
using old_transition
where status_transition.transition_id = old_transition.transition_id
