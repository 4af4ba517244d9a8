-- Status words of the sources that no mapping knows, with how many records have each and up to five ids.
-- :at_most  how many rows at most
select
    unknown_word.stream,
    unknown_word.field,
    unknown_word.word,
    count(*) as records,
    (array_agg(unknown_word.record_id order by unknown_word.record_id))[1:5] as samples
from pipeline.unknown_word
group by unknown_word.stream, unknown_word.field, unknown_word.word
order by unknown_word.stream, unknown_word.field, unknown_word.word
limit :at_most
