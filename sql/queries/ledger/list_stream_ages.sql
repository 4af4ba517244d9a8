-- Each stream that was ever read: when it was last read well, and when in full.
select stream_state.stream, stream_state.synced_at, stream_state.full_at
from pipeline.stream_state
order by stream_state.stream
