-- What each WHMCS client's custom field said of its account when it was read last; null where it said nothing.
select client.client_id, client.account_reference
from snapshot.client
