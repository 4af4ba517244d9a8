-- The schema that the oldest program which may use this one was written for.
select schema_promise.oldest_program
from pipeline.schema_promise
