-- Notes that a source did not answer a hinted reading: the next attempt waits, each time for longer.
-- :longest_seconds  at most so long
-- :retry_seconds    until the first attempt
-- :source           salesforce or whmcs
update pipeline.source_state
set
    hint_attempts = source_state.hint_attempts + 1,
    hints_after = clock_timestamp() + make_interval(
        secs => least(
            cast(:longest_seconds as double precision),
            cast(:retry_seconds as double precision) * power(2, least(source_state.hint_attempts, 20))
        )
    )
where source_state.source = :source
