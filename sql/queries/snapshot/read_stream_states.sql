-- How far each stream has been pulled.
select stream, cursor_at, synced_at, full_at, source_time, fields
from pipeline.stream_state
