-- Every change of a published table, in the order of commits, so that a warehouse can follow by asking for what is above
-- the last it saw.
--
-- Numbers drawn while transactions run do not commit in order: a reader may have passed a number that commits later, and
-- misses it. So a statement only notes the keys it changed; the numbers are drawn at the very end, by a deferred trigger,
-- under a lock held until the commit is visible. Whoever draws the next ones does so after that.

create table pipeline.change (
    feed_id bigint generated always as identity primary key,
    table_name text not null,
    key text not null,
    operation text not null check (operation in ('insert', 'update', 'delete')),
    changed_at timestamptz not null
);
comment on table pipeline.change is 'Changes of published tables in the order of commits: what analytics.change_feed shows.';
comment on column pipeline.change.feed_id is 'Key, ascending in the order of commits; numbers may be left out.';
comment on column pipeline.change.table_name is 'The published table.';
comment on column pipeline.change.key is 'Its key, as text.';
comment on column pipeline.change.operation is 'insert, update or delete.';
comment on column pipeline.change.changed_at is 'Wall-clock start of the transaction that changed it, as in the row''s own changed_at.';

create unlogged table pipeline.change_under_way (
    change_id bigint generated always as identity primary key,
    table_name text not null,
    keys text[] not null,
    operation text not null,
    changed_at timestamptz not null default now()
);
comment on table pipeline.change_under_way is 'What the statements of transactions under way changed. Empty for everybody else: a commit turns its own into numbered changes.';
comment on column pipeline.change_under_way.change_id is 'Key, ascending within a transaction.';
comment on column pipeline.change_under_way.table_name is 'The published table.';
comment on column pipeline.change_under_way.keys is 'Keys of the rows that one statement changed, as text.';
comment on column pipeline.change_under_way.operation is 'insert, update or delete.';
comment on column pipeline.change_under_way.changed_at is 'Wall-clock start of the transaction.';

create table pipeline.change_feed_start (
    is_only boolean primary key default true check (is_only),
    complete_after bigint not null
);
insert into pipeline.change_feed_start (complete_after) values (0);
comment on table pipeline.change_feed_start is 'From where on the change feed is whole: one row.';
comment on column pipeline.change_feed_start.is_only is 'Key: always true.';
comment on column pipeline.change_feed_start.complete_after is 'The highest feed_id that prune has deleted; a reader who stopped below it loads the tables anew.';

create function pipeline.note_change() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
    changed_keys text[];
begin
    if tg_op = 'TRUNCATE' then
        execute format('select array_agg(cast(%I as text)) from %I.%I', tg_argv[0], tg_table_schema, tg_table_name)
        into changed_keys;
    else
        execute format('select array_agg(cast(%I as text)) from changed', tg_argv[0]) into changed_keys;
    end if;
    if changed_keys is not null then
        insert into pipeline.change_under_way (table_name, keys, operation)
        values (tg_table_name, changed_keys, replace(lower(tg_op), 'truncate', 'delete'));
    end if;
    return null;
end
$$;
comment on function pipeline.note_change() is 'After a statement: notes the keys of the rows it changed. Argument: the key column.';

create function pipeline.number_changes() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('me-status change feed', 0));
    insert into pipeline.change (table_name, key, operation, changed_at)
    select new.table_name, changed.key, new.operation, new.changed_at
    from unnest(new.keys) with ordinality as changed (key, place)
    order by changed.place;
    delete from pipeline.change_under_way where change_under_way.change_id = new.change_id;
    return null;
end
$$;
comment on function pipeline.number_changes() is 'At commit: gives the transaction''s changes their numbers, one transaction at a time.';

create constraint trigger change_numbered after insert on pipeline.change_under_way
deferrable initially deferred for each row execute function pipeline.number_changes();

create function pipeline.stamp_change() returns trigger language plpgsql as $$
begin
    new.changed_at := now();
    return new;
end
$$;
comment on function pipeline.stamp_change() is 'Before a row is updated: its changed_at.';

create procedure pipeline.publish_changes_of(published regclass, key_column text) language plpgsql as $$
declare
    event text;
begin
    execute format('alter table %s add column changed_at timestamptz not null default now()', published);
    execute format(
        'comment on column %s.changed_at is %L',
        published, 'Wall-clock start of the transaction that wrote the row last.'
    );
    execute format(
        'create trigger stamp_change before update on %s for each row execute function pipeline.stamp_change()', published
    );
    foreach event in array array['insert', 'update', 'delete'] loop
        execute format(
            'create trigger note_%s after %1$s on %s referencing %s table as changed '
            'for each statement execute function pipeline.note_change(%L)',
            event, published, case event when 'delete' then 'old' else 'new' end, key_column
        );
    end loop;
    execute format(
        'create trigger note_truncate before truncate on %s '
        'for each statement execute function pipeline.note_change(%L)',
        published, key_column
    );
end
$$;
comment on procedure pipeline.publish_changes_of(regclass, text) is 'Gives a table changed_at and a place in the change feed.';

call pipeline.publish_changes_of('me_status', 'customer_id');
call pipeline.publish_changes_of('me_status_history', 'version_id');
call pipeline.publish_changes_of('status_transition', 'transition_id');
call pipeline.publish_changes_of('notification', 'notification_id');
call pipeline.publish_changes_of('job_run', 'run_id');
