-- Each source that says how much of its daily requests is used: what it said last, and when.
select source, requests_used, requests_allowed, usage_at
from pipeline.source_state
where requests_allowed is not null
order by source
