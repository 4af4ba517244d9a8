-- Notes which views and grants are in place.
-- :fingerprint  hash of their files
insert into pipeline.published_source (fingerprint)
values (:fingerprint)
on conflict (is_only) do update set fingerprint = excluded.fingerprint
