-- Actions that wait to be carried out, oldest first.
select
    operator_action.action_id,
    operator_action.action,
    operator_action.job,
    operator_action.run_id,
    operator_action.until,
    operator_action.reason
from pipeline.operator_action
left join pipeline.operator_action_end on operator_action_end.action_id = operator_action.action_id
where operator_action_end.action_id is null
order by operator_action.action_id
