-- The sources that hinted readings may not ask yet, since they did not answer the last time.
select source_state.source
from pipeline.source_state
where source_state.hints_after > clock_timestamp()
