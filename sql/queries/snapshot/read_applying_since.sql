-- When the pull of a stream began that last changed the snapshot; no row before its baseline, null when unknown.
-- :stream  text
select stream_state.applying_since
from pipeline.stream_state
where stream_state.stream = :stream
