-- Customers whose marks come from records that changed hands: they are refreshed together, so that what left one
-- document is in the other at the same instant.

alter table pipeline.refresh_mark add column changes_hands boolean not null default false;
comment on column pipeline.refresh_mark.changes_hands is 'Whether a record changed hands between this customer and another who is marked alike: they are refreshed together.';
create index refresh_mark_changes_hands on pipeline.refresh_mark (customer_id) where changes_hands;
