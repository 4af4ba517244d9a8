-- Drops the demo's database, whoever is connected; run it from another database, outside a transaction.
drop database if exists postgres with (force)
