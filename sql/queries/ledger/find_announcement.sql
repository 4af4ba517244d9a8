-- The last run that announced these very words and reached somebody.
-- :digest  of the words
-- :since   no earlier than this
select job_run.run_id, job_run.started_at
from job_run
where
    job_run.job = 'announce'
    and job_run.outcome = 'succeeded'
    and job_run.counts ->> 'digest' = :digest
    and job_run.counts -> 'sent' ->> 'SYSTEM_ANNOUNCEMENT' <> '0'
    and job_run.started_at >= :since
order by job_run.run_id desc
limit 1
