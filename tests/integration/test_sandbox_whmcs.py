"""The WHMCS stand-in over HTTP: shapes, paging, filters, callers and refusals (whmcs-api reference 2 to 7)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.population import Population
from jobs.sandbox.server import StandIn
from jobs.sandbox.whmcs import WhmcsInstall, serve
from jobs.sandbox.whmcs.quirks import Quirks
from jobs.sandbox.whmcs.rows import Pen

ZONE = ZoneInfo("Europe/Ljubljana")
NOON = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
Ask = Callable[..., httpx.Response]


@pytest.fixture
def install() -> WhmcsInstall:
    return WhmcsInstall(SimulatedClock(NOON), zone=ZONE, base="/billing/whmcs")


@pytest.fixture
def stand_in(install: WhmcsInstall) -> Iterator[StandIn]:
    with serve(install) as running:
        yield running


@pytest.fixture
def ask(install: WhmcsInstall, stand_in: StandIn) -> Iterator[Ask]:
    pair = {"identifier": install.identifier, "secret": install.secret, "responsetype": "json"}
    with httpx.Client() as client:

        def post(action: str, path: str = "/includes/api.php", **parameters: object) -> httpx.Response:
            data = {**pair, "action": action, **{name: str(value) for name, value in parameters.items()}}
            return client.post(f"{stand_in.url}{install.base}{path}", data=data)

        yield post


def only(answer: httpx.Response, outer: str, inner: str) -> dict[str, Any]:
    (row,) = answer.json()[outer][inner]
    return dict(row)


def ids(answer: httpx.Response, outer: str, inner: str) -> list[int]:
    return [int(row["id"]) for row in answer.json().get(outer, {inner: []})[inner]]


def test_a_client_row_has_eight_fields_and_no_more(install: WhmcsInstall, ask: Ask) -> None:
    """7.1: address, currency and custom fields need GetClientsDetails."""
    install.add_client(id=7, firstname="Ana", lastname="Kovač", datecreated=None)
    answer = ask("GetClients")
    assert answer.json().items() >= {"result": "success", "totalresults": 1, "startnumber": 0, "numreturned": 1}.items()
    assert only(answer, "clients", "client") == {
        "id": 7,
        "firstname": "Ana",
        "lastname": "Kovač",
        "companyname": "",
        "email": "ana@example.org",
        "datecreated": "0000-00-00",
        "groupid": 0,
        "status": "Active",
    }


def test_the_details_of_a_client_hold_its_custom_fields(install: WhmcsInstall, ask: Ask) -> None:
    """7.2: id and value, without a name, and once more flattened; the client's fields stand at the top level too."""
    client = install.add_client(customfields={3: "SF-0017"}, currency=2)
    answer = ask("GetClientsDetails", clientid=client).json()
    assert [{"id": 3, "value": "SF-0017"}] == answer["client"]["customfields"]
    assert "SF-0017" == answer["client"]["customfields1"] == answer["customfields1"]
    assert (2, "EUR") == (answer["client"]["currency"], answer["client"]["currency_code"])


def test_an_invoice_row_is_that_of_the_reference(install: WhmcsInstall, ask: Ask) -> None:
    """7.3: money as text, zero dates, the server's local time, no balance and no lines, totalresults as text."""
    client = install.add_client(currency=2)
    install.add_invoice(client, id=1042, total="24.40", subtotal="20.00", tax="4.40", taxrate=22)
    answer = ask("GetInvoices")
    row = only(answer, "invoices", "invoice")
    assert "1" == answer.json()["totalresults"]
    assert (1042, client) == (row["id"], row["userid"])
    assert ("20.00", "4.40", "24.40", "22.000") == (row["subtotal"], row["tax"], row["total"], row["taxrate"])
    assert ("2026-11-22", "2026-12-06", "0000-00-00 00:00:00") == (row["date"], row["duedate"], row["datepaid"])
    assert ("2026-11-22 12:00:00", "EUR", None) == (row["updated_at"], row["currencycode"], row["paymethodid"])
    assert not {"balance", "items", "invoiceid"} & row.keys()


def test_a_single_invoice_uses_other_names(install: WhmcsInstall, ask: Ask) -> None:
    """7.4: invoiceid, lastcaptureattempt and balance; transactions are empty text."""
    invoice = install.add_invoice(install.add_client(), total="24.40")
    answer = ask("GetInvoice", invoiceid=invoice).json()
    assert (invoice, "24.40", "") == (answer["invoiceid"], answer["balance"], answer["transactions"])
    assert {"id", "type", "relid", "description", "amount", "taxed"} == answer["items"]["item"][0].keys()
    assert not {"id", "currencycode", "firstname", "last_capture_attempt"} & answer.keys()


def test_a_service_row_types_its_numbers_as_text(install: WhmcsInstall, ask: Ask) -> None:
    """7.5 and 10: strings for ids, the filters echoed as text or null, the password in clear text."""
    client = install.add_client()
    service = install.add_service(client, status="Suspended")
    answer = ask("GetClientsProducts", clientid=client)
    row = only(answer, "products", "product")
    assert (str(client), None) == (answer.json()["clientid"], answer.json()["serviceid"])
    assert (str(service), str(client), "1") == (row["id"], row["clientid"], row["qty"])
    assert ("Suspended", "2026-12-22", "20.00") == (row["status"], row["nextduedate"], row["recurringamount"])
    assert {"customfields", "configoptions", "password", "translated_name", "lastupdate"} <= row.keys()


def test_pay_methods_are_a_plain_array_without_totals(install: WhmcsInstall, ask: Ask) -> None:
    """7.6: cards carry MM/YY and no bank, bank accounts the reverse; last_updated is localised."""
    client = install.add_client()
    install.add_pay_method(client, expiry_date=date(2026, 12, 31))
    install.add_pay_method(client, type="BankAccount", bank_name="Example Bank")
    answer = ask("GetPayMethods", clientid=client)
    card, bank = answer.json()["paymethods"]
    assert {"result", "clientid", "paymethods"} == answer.json().keys()
    assert ("12/26", "22/11/2026 12:00") == (card["expiry_date"], card["last_updated"])
    assert ("Example Bank", False) == (bank["bank_name"], "expiry_date" in bank)
    assert [bank] == ask("GetPayMethods", clientid=client, type="BankAccount").json()["paymethods"]


def test_a_cancellation_request_names_the_service_only(install: WhmcsInstall, ask: Ask) -> None:
    """7.9: no client, no status, zero stamps, and no filter whatever is asked."""
    service = install.add_service(install.add_client())
    install.add_cancellation(service, "Immediate", "Moving")
    expected = {"id": 1, "date": "2026-11-22 12:00:00", "relid": service, "reason": "Moving", "type": "Immediate"}
    zero = {"created_at": "0000-00-00 00:00:00", "updated_at": "0000-00-00 00:00:00"}
    assert expected | zero == only(ask("GetCancelledPackages", relid=999), "packages", "package")


@pytest.mark.parametrize(
    ("action", "field"),
    [
        ("GetCurrencies", "currencies"),
        ("GetProducts", "products"),
        ("GetOrders", "totalresults"),
        ("GetTickets", "totalresults"),
        ("GetAdminDetails", "whmcs"),
        ("WhmcsDetails", "whmcs"),
    ],
)
def test_actions_of_the_install_answer(ask: Ask, action: str, field: str) -> None:
    """7.7, 7.8, 7.11, 7.12, 7.14: enough of each for a connection check."""
    answer = ask(action)
    assert (200, "success") == (answer.status_code, answer.json()["result"])
    assert field in answer.json()


def test_the_automation_log_tells_the_servers_clock_and_cron(install: WhmcsInstall, ask: Ask) -> None:
    """7.14: both in server time; the skew shows against the HTTP Date."""
    install.run_daily_cron()
    install.quirks.clock_skew = timedelta(minutes=3)
    answer = ask("GetAutomationLog")
    assert "2026-11-22 12:03:00" == answer.json()["currentDatetime"]
    assert "2026-11-22 12:00:00" == answer.json()["lastDailyCronInvocationTime"]
    assert "Sun, 22 Nov 2026 11:00:00 GMT" == answer.headers["date"]


def test_slashes_are_escaped_and_the_answer_is_json(install: WhmcsInstall, ask: Ask) -> None:
    """5 and 10: a slash is written with a backslash."""
    install.add_client(companyname="a/b")
    answer = ask("GetClients")
    assert "application/json" == answer.headers["content-type"]
    assert r'"companyname":"a\/b"' in answer.text


def test_pages_are_offsets_into_all_rows(install: WhmcsInstall, ask: Ask) -> None:
    """4: 25 rows unless said otherwise; the offset is absolute; beyond the end there is nothing."""
    client = install.add_client()
    for _ in range(30):
        install.add_invoice(client)
    assert list(range(1, 26)) == ids(ask("GetInvoices", orderby="id"), "invoices", "invoice")
    assert [29, 30] == ids(ask("GetInvoices", limitstart=28, limitnum=10), "invoices", "invoice")
    assert [30, 29] == ids(ask("GetInvoices", orderby="id", order="desc", limitnum=2), "invoices", "invoice")
    beyond = ask("GetInvoices", limitstart=30).json()
    assert ("30", 30, 0) == (beyond["totalresults"], beyond["startnumber"], beyond["numreturned"])


def test_clients_come_by_first_name_unless_an_order_is_given(install: WhmcsInstall, ask: Ask) -> None:
    """4 and 7.1: the default order is not that of the id."""
    for name in ("Zoe", "Ana", "Mia"):
        install.add_client(firstname=name)
    assert [2, 3, 1] == ids(ask("GetClients"), "clients", "client")
    assert [1, 3, 2] == ids(ask("GetClients", sorting="DESC"), "clients", "client")
    assert [1, 2, 3] == ids(ask("GetClients", orderby="id"), "clients", "client")


def test_filters_filter_and_unknown_parameters_do_not(install: WhmcsInstall, ask: Ask) -> None:
    """4: Overdue is a filter only; a misspelt filter returns everybody's rows (Q27)."""
    ana, bor = install.add_client(), install.add_client(status="Closed", lastname="Bor")
    install.add_invoice(ana, duedate=date(2026, 11, 21))
    install.add_invoice(bor, duedate=date(2026, 11, 22))
    install.add_invoice(bor, status="Paid")
    service = install.add_service(bor, domain="shop.example")
    install.add_service(ana)
    listed = ("invoices", "invoice")
    assert [2, 3] == ids(ask("GetInvoices", userid=bor), *listed)
    assert [1, 2] == ids(ask("GetInvoices", status="Unpaid"), *listed)
    assert [1] == ids(ask("GetInvoices", status="Overdue"), *listed)
    assert [3] == ids(ask("GetInvoices", userid=bor, status="Paid"), *listed)
    assert [1, 2, 3] == ids(ask("GetInvoices", clientid=bor), *listed)
    assert [bor] == ids(ask("GetClients", status="Closed"), "clients", "client")
    assert [bor] == ids(ask("GetClients", search="bo"), "clients", "client")
    assert [service] == ids(ask("GetClientsProducts", serviceid=service), "products", "product")
    assert [service] == ids(ask("GetClientsProducts", domain="shop.example"), "products", "product")
    assert [] == ids(ask("GetClientsProducts", clientid=ana, serviceid=service), "products", "product")


def test_lists_follow_what_is_written(install: WhmcsInstall, ask: Ask) -> None:
    """A list kept from an earlier request never hides a later write, over generated rows too."""
    tables = Population(customers=40, seed=1, start=date(2026, 11, 22), zone=ZONE).whmcs_tables()
    full = WhmcsInstall(install.clock, zone=ZONE, tables=tables)
    first, last = next(tables["invoices"].keys()), full.lookups["invoices"].last_key()
    client = full.tables["invoices"].get(first)["userid"]  # type: ignore[index]
    owned = [row["id"] for row in tables["invoices"].rows() if row["userid"] == client]
    with serve(full) as running, httpx.Client() as caller:
        pair = {"identifier": full.identifier, "secret": full.secret, "responsetype": "json", "limitnum": "9999"}

        def of(**filters: object) -> list[int]:
            data = {**pair, "action": "GetInvoices", **{name: str(value) for name, value in filters.items()}}
            return ids(caller.post(f"{running.url}/includes/api.php", data=data), "invoices", "invoice")

        unpaid = of(status="Unpaid")
        added = full.add_invoice(client)
        full.delete("invoices", first)
        full.set_invoice_status(unpaid[-1], "Paid")
        assert last + 1 == added
        assert sorted({*unpaid[:-1], added} - {first}) == of(status="Unpaid")
        assert [key for key in [*owned, added] if key != first] == of(userid=client)


@pytest.mark.parametrize(
    ("action", "parameters", "message"),
    [
        ("GetClientsDetails", {}, "Either clientid Or email Is Required"),
        ("GetClientsDetails", {"clientid": 9}, "Client Not Found"),
        ("GetInvoice", {"invoiceid": 9}, "Invoice ID Not Found"),
        ("GetPayMethods", {}, "Client ID Is Required"),
        ("GetPayMethods", {"clientid": 9}, "Client Not Found"),
        ("GetPayMethods", {"type": "Cash", "clientid": 9}, "Invalid Pay Method Type"),
    ],
)
def test_business_errors_come_with_status_200(ask: Ask, action: str, parameters: dict[str, Any], message: str) -> None:
    """3 and Q1: the envelope decides, not the status."""
    answer = ask(action, **parameters)
    assert (200, "error") == (answer.status_code, answer.json()["result"])
    assert message in answer.json()["message"]


def test_refusals_of_the_door_differ_only_in_their_message(install: WhmcsInstall, ask: Ask) -> None:
    """3 and Q3: 403 for credential, address and role; 400 for no action; 200 for a doubled path (Q5)."""

    def refusal(*given: Any, **parameters: Any) -> tuple[int, str]:
        answer = ask(*given, **parameters)
        return answer.status_code, answer.json()["message"]

    assert (403, "Authentication Failed") == refusal("GetClients", secret="wrong")
    assert (403, "Authentication Failed") == refusal("GetClients", identifier="", secret="")
    assert (403, "Invalid or missing credentials") == refusal("GetClients", identifier="wrong")
    assert (400, "Empty action request") == refusal("")
    assert (400, 'Invalid API Action: "foo" is not a valid API action') == refusal("foo")
    doubled = "/includes/api.php/includes/api.php"
    assert (200, "An admin user is required") == refusal("GetClients", path=doubled)
    install.role = {"GetClients"}
    assert (403, 'Invalid Permissions: API action "getinvoices" is not allowed') == refusal("GetInvoices")
    install.access.allowed_addresses.clear()
    assert (403, "Invalid IP 127.0.0.1") == refusal("GetClients")
    install.access.access_key = "key!"
    assert 200 == ask("GetClients", accesskey="key!").status_code


def test_another_path_is_a_page(ask: Ask) -> None:
    """2: the base counts; a wrong one reaches the web site, not the API."""
    assert 404 == ask("GetClients", path="/api.php").status_code


def test_every_way_of_sending_credentials_is_taken(install: WhmcsInstall, stand_in: StandIn) -> None:
    """2: both encodings, the pair under either pair of names, MD5 logins, empty duplicates, any case of the action."""
    url = f"{stand_in.url}{install.base}/includes/api.php"
    pair = {"identifier": install.identifier, "secret": install.secret}
    legacy = {"username": install.identifier, "password": install.secret}
    login = {"username": "admin", "password": hashlib.md5(b"sandbox-password").hexdigest()}
    empty = {"username": "", "password": ""}
    for credentials in (pair, legacy, login, pair | empty, login | {"identifier": "", "secret": ""}):
        form = {**credentials, "action": "gEtClients", "responsetype": "json"}
        parts: Any = {name: (None, value) for name, value in form.items()}
        assert "success" == httpx.post(url, data=form).json()["result"]
        assert "success" == httpx.post(url, files=parts).json()["result"]


def test_pages_rendered_beforehand_are_served_as_they_were(install: WhmcsInstall, ask: Ask) -> None:
    """A benchmark's pages cost nothing to serve; other requests are rendered as ever."""
    client = install.add_client()
    for _ in range(5):
        install.add_invoice(client)
    before = ask("GetInvoices", orderby="id", limitnum=2, limitstart=2).content
    assert 3 == install.prerender("GetInvoices", page_size=2, orderby="id")
    install.pay_invoice(3)
    assert before == ask("getinvoices", orderby="id", limitnum=2, limitstart=2).content
    assert "Paid" == only(ask("GetInvoices", orderby="id", limitnum=1, limitstart=2), "invoices", "invoice")["status"]


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (datetime(2026, 11, 22, 9, 5, 7, 123456, tzinfo=UTC), ("2026-11-22", "2026-11-22 09:05:07")),
        (datetime(2026, 11, 22, 9, 5, 7, tzinfo=ZONE), ("2026-11-22", "2026-11-22 09:05:07")),
        (datetime(999, 1, 2, tzinfo=UTC), ("0999-01-02", "0999-01-02 00:00:00")),
        (None, ("0000-00-00", "0000-00-00 00:00:00")),
        ("0000-00-10 x", ("0000-00-10 x", "0000-00-10 x")),
    ],
)
def test_dates_are_written_as_mysql_does(given: datetime | str | None, written: tuple[str, str]) -> None:
    """In whole seconds, without a zone, years in four digits; whatever text stands there stays (section 5)."""
    pen = Pen(Quirks())
    assert written == (pen.date(given), pen.stamp(given))
