-- The newest actions of operators and what came of them, newest first.
-- :count  how many
select
    operator_action.action_id,
    operator_action.asked_at,
    operator_action.action,
    operator_action.job,
    operator_action.run_id,
    operator_action.reason,
    operator_action.actor,
    operator_action.origin,
    operator_action_end.ended_at,
    operator_action_end.outcome,
    operator_action_end.detail
from pipeline.operator_action
left join pipeline.operator_action_end on operator_action_end.action_id = operator_action.action_id
order by operator_action.action_id desc
limit :count
