-- Whether the table that says which revision the schema is at exists.
select to_regclass('schema_version') as found
