-- What a run observed, by status: how many, and up to five records and customers of each.
-- :now     instant of the run
-- :run_id  the run
select
    status_transition.entity,
    status_transition.field,
    status_transition.old_value,
    status_transition.new_value,
    count(*) as transitions,
    (array_agg(status_transition.entity_id order by status_transition.transition_id))[1:5] as samples,
    coalesce(
        (
            array_agg(status_transition.customer_id order by status_transition.transition_id) filter (
                where status_transition.customer_id is not null
            )
        )[1:5],
        '{}'
    ) as customers
from status_transition
where status_transition.observed_at = :now and status_transition.run_id = :run_id
group by
    status_transition.entity,
    status_transition.field,
    status_transition.old_value,
    status_transition.new_value
order by
    status_transition.entity,
    status_transition.field,
    transitions desc,
    status_transition.new_value
