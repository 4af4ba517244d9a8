-- Puts off hints of clients that could not be read this time, each time for longer.
-- :longest_seconds  at most so long
-- :retry_seconds    until the first attempt
-- :client_ids       bigint[], WHMCS client ids
update pipeline.hint
set
    attempts = hint.attempts + 1,
    not_before = clock_timestamp() + make_interval(
        secs => least(
            cast(:longest_seconds as double precision),
            cast(:retry_seconds as double precision) * power(2, least(hint.attempts, 20))
        )
    )
where hint.kind = 'client' and hint.subject_id = any(cast(cast(:client_ids as bigint[]) as text[]))
