-- Notes a change to be sent; nothing when it was noted before.
-- :kind    health or hold
-- :state   the held run, or the number of the change
-- :detail  the body to send, as JSON
insert into pipeline.alert (kind, state, detail)
values (:kind, :state, cast(:detail as json))
on conflict (kind, state) do nothing
