-- The unlogged table of changes under way counts by a logged sequence: the sequence of an identity column of an
-- unlogged table is unlogged too, and after a standby took the database's place it could not be read, so that no job
-- could commit.

-- Changes of migrations before this one, in the same transaction, are numbered first.
set constraints pipeline.change_numbered immediate;
alter table pipeline.change_under_way alter column change_id drop identity;
create sequence pipeline.change_under_way_number owned by pipeline.change_under_way.change_id;
alter table pipeline.change_under_way
alter column change_id set default nextval('pipeline.change_under_way_number');
set constraints pipeline.change_numbered deferred;
comment on sequence pipeline.change_under_way_number is 'Numbers changes under way.';
