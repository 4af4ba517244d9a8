-- The revision the schema is at.
select schema_version.version_num from schema_version
