"""Runs the Singer tap of Salesforce, in an environment of its own: login, discovery, synchronisation.

Standard input: {"url", "client_id", "client_secret", "refresh_token", "config", "streams": [...]}; `config` is the path
of the tap's configuration file. What it writes is what the tap writes: Singer messages, one a line.
"""

import contextlib
import io
import json
import sys

import tap_salesforce
from requests.adapters import HTTPAdapter
from tap_salesforce.salesforce import Salesforce

LOGIN = "https://login.salesforce.com"


class ToTheStandIn(HTTPAdapter):
    """Leads the tap's fixed login address to the stand-in."""

    def __init__(self, url):
        super().__init__()
        self.url = url

    def send(self, request, **options):
        request.url = request.url.replace(LOGIN, self.url, 1)
        return super().send(request, **options)


options = json.load(sys.stdin)
with open(options["config"], "w", encoding="utf-8") as file:
    json.dump({"refresh_token": options["refresh_token"]}, file)
salesforce = Salesforce(
    refresh_token=options["refresh_token"],
    sf_client_id=options["client_id"],
    sf_client_secret=options["client_secret"],
    select_fields_by_default=True,
    default_start_date="2000-01-01T00:00:00Z",
    api_type="REST",
    config_path=options["config"],
)
salesforce.session.mount(LOGIN, ToTheStandIn(options["url"]))
salesforce.login()
with contextlib.redirect_stdout(io.StringIO()) as discovered:
    tap_salesforce.do_discover(salesforce)
catalog = json.loads(discovered.getvalue())
for stream in catalog["streams"]:
    for entry in stream["metadata"]:
        if entry["breadcrumb"] == []:
            entry["metadata"]["selected"] = stream["stream"] in options["streams"]
            keys = entry["metadata"].get("valid-replication-keys")
            if keys:
                entry["metadata"] |= {"replication-key": keys[0], "replication-method": "INCREMENTAL"}
tap_salesforce.do_sync(salesforce, catalog, tap_salesforce.build_state({}, catalog))
salesforce.login_timer.cancel()
