-- The run of the source :source at :now failed with :error.
update pipeline.source_state
set failed_at = :now, error = :error
where source = :source;
