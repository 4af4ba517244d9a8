-- Notes that the documents of owners now rest on the hinted reading of a stream.
-- :now        instant of the run
-- :owner_ids  accounts or clients, as text
-- :stream     name of the stream
update pipeline.owner_reading
set read_at = greatest(owner_reading.read_at, cast(:now as timestamptz))
where
    owner_reading.owner_id = any(cast(:owner_ids as text[]))
    and owner_reading.stream = :stream
