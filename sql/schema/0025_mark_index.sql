-- The marks of one run, and the oldest mark, are found without reading all marks.

create index refresh_mark_marked_at on pipeline.refresh_mark (marked_at);
