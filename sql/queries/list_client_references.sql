-- What each WHMCS client's custom field said of its account when it was read last.
select client.client_id, client.account_reference
from snapshot.client
where client.account_reference is not null;
