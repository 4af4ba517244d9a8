-- Both sources: when each was last synced whole, and its last failure.
select source, synced_at, failed_at, error
from pipeline.source_state
order by source
