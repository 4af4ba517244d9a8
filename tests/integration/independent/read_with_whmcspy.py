"""Reads an install with whmcspy, in an environment of its own, and writes what it read as JSON.

Standard input: {"url", "identifier", "secret"}.
"""

import json
import sys

from whmcspy import WHMCS, exceptions


def listed(whmcs, action, outer, inner):
    pages = whmcs.paginated_call(action)
    return [record for page in pages for record in page[outer][inner]]


def refusal(attempt):
    try:
        attempt()
    except exceptions.Error as error:
        return [type(error).__name__, str(error)]
    return None


options = json.load(sys.stdin)
api = options["url"] + "/includes/api.php"
whmcs = WHMCS(api, options["identifier"], options["secret"])
clients = listed(whmcs, "GetClients", "clients", "client")
invoices = listed(whmcs, "GetInvoices", "invoices", "invoice")
found = {
    "client": clients,
    "invoice": invoices,
    "service": list(whmcs.get_clients_products()),
    "cancellation": listed(whmcs, "GetCancelledPackages", "packages", "package"),
    "pay_method": [
        {**method, "clientid": client["id"]}
        for client in clients
        for method in whmcs.call("GetPayMethods", clientid=client["id"])["paymethods"]
    ],
    "one_invoice": whmcs.get_invoice(invoices[0]["id"]),
    "wrong_secret": refusal(lambda: WHMCS(api, options["identifier"], "wrong").call("GetClients")),
    "no_such_invoice": refusal(lambda: whmcs.get_invoice(999_999_999)),
}
json.dump(found, sys.stdout)
