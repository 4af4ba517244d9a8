-- Shrink holds of a source that wait for a decision, with the streams they would remove rows of.
-- :source  salesforce or whmcs
select held_run.run_id, array_agg(distinct held_removal.stream) as streams
from pipeline.held_run
inner join pipeline.held_removal on held_removal.run_id = held_run.run_id
where held_run.gate = 'shrink' and held_run.source = :source and held_run.decision is null
group by held_run.run_id
order by held_run.run_id
