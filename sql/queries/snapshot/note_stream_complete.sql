-- Forgets that earlier pulls of a stream were not complete.
-- :stream  the stream
delete from pipeline.incomplete_stream
where stream = :stream
