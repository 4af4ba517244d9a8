-- The hash of each snapshot row's values, by which a pull tells the rows that did not change without reading them again.
-- A sync writes it with the row. A row changed in any other way loses it, so that the next pull compares its values.

create function snapshot.forget_content_hash() returns trigger language plpgsql as $$
begin
    new.content_hash := null;
    return new;
end
$$;
comment on function snapshot.forget_content_hash() is 'Of an updated row that kept the hash of other values: null, so that nothing vouches for what it was not made of.';

alter table snapshot.account add column content_hash bigint;
alter table snapshot."order" add column content_hash bigint;
alter table snapshot."case" add column content_hash bigint;
alter table snapshot.client add column content_hash bigint;
alter table snapshot.invoice add column content_hash bigint;
alter table snapshot.service add column content_hash bigint;
alter table snapshot.pay_method add column content_hash bigint;
alter table snapshot.cancellation add column content_hash bigint;

comment on column snapshot.account.content_hash is 'Hash of the values that a pull compares; null until a pull has compared them.';
comment on column snapshot."order".content_hash is 'Hash of the values that a pull compares; null until a pull has compared them.';
comment on column snapshot."case".content_hash is 'Hash of the values that a pull compares; null until a pull has compared them.';
comment on column snapshot.client.content_hash is 'Hash of the values that a pull compares; null until a pull has compared them.';
comment on column snapshot.invoice.content_hash is 'Hash of the values that a pull compares; null until a pull has compared them.';
comment on column snapshot.service.content_hash is 'Hash of the values that a pull compares; null until a pull has compared them.';
comment on column snapshot.pay_method.content_hash is 'Hash of the values that a pull compares; null until a pull has compared them.';
comment on column snapshot.cancellation.content_hash is 'Hash of the values that a pull compares; null until a pull has compared them.';

create trigger account_forgets_content_hash before update on snapshot.account for each row
when (old.content_hash = new.content_hash and old.* is distinct from new.*)
execute function snapshot.forget_content_hash();

create trigger order_forgets_content_hash before update on snapshot."order" for each row
when (old.content_hash = new.content_hash and old.* is distinct from new.*)
execute function snapshot.forget_content_hash();

create trigger case_forgets_content_hash before update on snapshot."case" for each row
when (old.content_hash = new.content_hash and old.* is distinct from new.*)
execute function snapshot.forget_content_hash();

create trigger client_forgets_content_hash before update on snapshot.client for each row
when (old.content_hash = new.content_hash and old.* is distinct from new.*)
execute function snapshot.forget_content_hash();

create trigger invoice_forgets_content_hash before update on snapshot.invoice for each row
when (old.content_hash = new.content_hash and old.* is distinct from new.*)
execute function snapshot.forget_content_hash();

create trigger service_forgets_content_hash before update on snapshot.service for each row
when (old.content_hash = new.content_hash and old.* is distinct from new.*)
execute function snapshot.forget_content_hash();

create trigger pay_method_forgets_content_hash before update on snapshot.pay_method for each row
when (old.content_hash = new.content_hash and old.* is distinct from new.*)
execute function snapshot.forget_content_hash();

create trigger cancellation_forgets_content_hash before update on snapshot.cancellation for each row
when (old.content_hash = new.content_hash and old.* is distinct from new.*)
execute function snapshot.forget_content_hash();
