-- Makes the demo's database anew; run it from another database, outside a transaction.
create database postgres
