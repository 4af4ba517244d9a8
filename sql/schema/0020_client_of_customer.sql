-- Who is served which client, found without reading the documents: the views over invoices and services ask for it.

create index me_status_client on me_status (whmcs_client_id, customer_id) where whmcs_client_id is not null;
comment on index me_status_client is 'By WHMCS client, the customers it is served to; more than one while a link is in doubt.';
