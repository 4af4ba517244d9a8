-- The organization that the source :source was pulled from last; null before the first.
select organization_id
from pipeline.source_state
where source = :source;
