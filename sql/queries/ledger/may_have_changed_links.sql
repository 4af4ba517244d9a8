-- Whether links may have changed since the syncs last noted those in doubt: by hinted readings, or a run that failed.
-- :job     job of the run
-- :run_id  this run
with previous as (
    select job_run.run_id, job_run.outcome
    from job_run
    where job_run.job = :job and job_run.run_id < :run_id
    order by job_run.run_id desc
    limit 1
)

select
    not exists (select 1 from previous where previous.outcome <> 'failed')
    or exists (
        select 1
        from previous
        inner join job_run on previous.run_id < job_run.run_id and job_run.run_id < :run_id
        cross join lateral json_each(job_run.counts) as counted (stream, counts)
        where
            job_run.job = 'sync-hinted'
            and counted.stream in ('account', 'client')
            and jsonb_path_exists(
                cast(counted.counts as jsonb), '$ ? (@.added > 0 || @.changed > 0 || @.removed > 0)'
            )
    ) as may_have_changed
