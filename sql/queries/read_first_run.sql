-- Whether any run has computed documents yet.
select
    exists (
        select
        from job_run
        where job in ('refresh', 'rebuild')
            and outcome in ('succeeded', 'held', 'discarded')
    ) as has_run
