-- When each stream was last pulled well, and last in full.
select stream, synced_at, full_at
from pipeline.stream_state
order by stream
