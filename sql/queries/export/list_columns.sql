-- The columns of a published relation that the session's role may read, in order, with the name of each type.
-- :relation  the relation, quoted, with its schema
select
    attribute.attname as name,
    format_type(attribute.atttypid, null) as type
from pg_attribute as attribute
where
    attribute.attrelid = cast(:relation as regclass)
    and attribute.attnum > 0
    and not attribute.attisdropped
    and has_column_privilege(attribute.attrelid, attribute.attnum, 'select')
order by attribute.attnum
