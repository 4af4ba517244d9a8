-- Takes every hint that waits.
delete from pipeline.hint
returning hint.kind
