-- Writes down what an operator decided; its id.
-- :action  release, discard, pause, resume or run
-- :job     the job, of pause, resume and run
-- :run_id  the held run, of release and discard
-- :until   of pause: until when
-- :reason  why, in the operator's words
-- :actor   who
-- :origin  page or command
insert into pipeline.operator_action (action, job, run_id, until, reason, actor, origin)
values (
    :action,
    cast(:job as text),
    cast(:run_id as bigint),
    cast(:until as timestamptz),
    cast(:reason as text),
    :actor,
    :origin
)
returning action_id
