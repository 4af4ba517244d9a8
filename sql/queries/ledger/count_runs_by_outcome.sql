-- Runs in the ledger and the seconds they took, by job and outcome.
select
    job,
    outcome,
    count(*) as runs,
    cast(sum(extract(epoch from finished_at - started_at)) as double precision) as seconds
from job_run
group by job, outcome
order by job, outcome
