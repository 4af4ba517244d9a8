-- Writes down that an action was carried out; a row unless somebody else wrote it first.
-- :action_id  the action
-- :outcome    done or failed
-- :detail     what came of it, in words
insert into pipeline.operator_action_end (action_id, outcome, detail)
values (:action_id, :outcome, :detail)
on conflict (action_id) do nothing
returning action_id
