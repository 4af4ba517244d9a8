-- Whether a run has computed documents from pulled accounts; until then "no customer" is not known of anybody.
select
    exists (
        select
        from job_run
        where
            job in ('refresh', 'rebuild')
            and outcome in ('succeeded', 'held', 'discarded')
    )
    and (
        exists (select from me_status)
        or exists (select from pipeline.stream_state where stream = 'account')
    ) as has_run
