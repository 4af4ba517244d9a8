"""`doctor`: one line per thing that must be right, with the remedy where it is not."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

import sql
from config import database, logs
from config.errors import MeStatusError, SettingsError
from config.schedule import Schedule
from jobs import migrate, program
from jobs.commands import doctor_records
from jobs.program import FAILED, SUCCESS, WRONG_USE, Program, answer, say
from jobs.runs import listener
from jobs.sources import salesforce, whmcs
from jobs.sources.errors import PermissionDenied, SourceError
from jobs.sources.salesforce import SalesforceSource
from jobs.sources.salesforce.rows import salesforce_streams
from jobs.sources.whmcs import WhmcsSource

ACTIONS: dict[str, dict[str, int]] = {
    "GetClients": {},
    "GetInvoices": {},
    "GetClientsProducts": {},
    "GetCancelledPackages": {},
    "GetPayMethods": {"clientid": 1},
    "GetInvoice": {"invoiceid": 1},
    "GetClientsDetails": {"clientid": 1},
}
"""What the product asks WHMCS; of the last three a record that is not there is answer enough."""
WITHOUT = {"GetPayMethods": "all else is read, and the number of pay methods stays unknown"}
SKEW_ALLOWED = timedelta(minutes=2)


@dataclass(frozen=True)
class Line:
    """One finding. `remedy` is empty when all is well."""

    level: Literal["ok", "warn", "fail"]
    thing: str
    finding: str
    remedy: str = ""


def command(arguments: argparse.Namespace) -> int:
    """Checks everything that can be checked and prints it; 2 for wrong settings, 1 when anything fails, else 0."""
    try:
        loaded = program.load()
    except SettingsError as error:
        lines = [Line("fail", "settings", fault, "correct it in the environment or .env") for fault in error.faults]
        return _tell(lines, arguments, WRONG_USE)
    lines = list(check(loaded))
    return _tell(lines, arguments, FAILED if any(line.level == "fail" for line in lines) else SUCCESS)


def check(loaded: Program) -> Iterator[Line]:
    """All findings, in the order in which they matter."""
    yield Line("ok", "settings", "read, and the four data files with them")
    yield from check_sweeps(loaded.tables.schedule)
    yield from _check_tokens(loaded)
    yield from _check_database(loaded)
    yield from _check_salesforce(loaded)
    yield from _check_whmcs(loaded)


def check_sweeps(schedule: Schedule) -> Iterator[Line]:
    """Warns where large lists of WHMCS are swept so seldom that their facts pass the limit before each sweep."""
    job = schedule.jobs.get("sync-whmcs")
    between = schedule.whmcs.sweep_every_minutes + (job.every if job is not None and job.every is not None else 0)
    limit = schedule.freshness_minutes.whmcs
    if between >= limit:
        yield Line(
            "warn",
            "WHMCS sweeps",
            f"a large list is swept after up to {between} minutes, its facts count as stale from {limit} minutes on",
            "lower whmcs.sweep_every_minutes or raise freshness_minutes.whmcs in the schedule file",
        )


def _check_tokens(loaded: Program) -> Iterator[Line]:
    try:
        loaded.settings.require("tokens")
    except SettingsError as error:
        yield Line("warn", "API tokens", error.faults[0], "set it before `me-status serve`")
        return
    yield Line("ok", "API tokens", "can be verified")
    if loaded.settings.me_status_ops_token is None:
        yield Line("warn", "ops", "/ops and /metrics answer 404", "set ME_STATUS_OPS_TOKEN to open them")


def _check_database(loaded: Program) -> Iterator[Line]:
    try:
        engine = database.connect(loaded.settings)
    except MeStatusError as error:
        yield Line("fail", "database", str(error), "see above")
        return
    try:
        where = "the embedded server" if loaded.is_embedded else "DATABASE_URL"
        yield Line("ok", "database", f"{where} answers")
        try:
            migrate.migrate(engine) if loaded.is_embedded else migrate.require_current(engine)
        except MeStatusError as error:
            yield Line("fail", "schema", str(error).partition("; run")[0], "run `me-status migrate`")
            return
        yield Line("ok", "schema", f"at {migrate.head()}")
        yield check_pooler(engine)
        with engine.connect() as connection:
            if not loaded.is_embedded:
                yield from check_rights(connection)
            yield from check_links(connection)
            for problem in doctor_records.problems(connection):
                yield Line("warn", "records", problem.finding, problem.remedy)
    finally:
        engine.dispose()


def check_pooler(engine: Engine) -> Line:
    """Whether a pooler stands between, and whether it leaves a session its server process, as locks and settings need.

    A pooler shows a process of its own when connecting. One that pools by transaction hands the process of a connection
    that rests to the next one.
    """
    with engine.connect() as resting, engine.connect() as other:
        announced = resting.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        process = sql.statement("health/read_server_process")
        own = resting.execute(process).scalar_one()
        resting.commit()
        return _pooling(announced, own, other.execute(process).scalar_one())


def _pooling(announced: int, own: int, other: int) -> Line:
    """What three process ids say: given when connecting, of who served, of a second connection."""
    if own == other:
        return Line(
            "fail", "database pooler", "it pools by transaction: locks and settings of a session do not hold",
            "set pool_mode = session for this database, or have DATABASE_URL name PostgreSQL itself",
        )  # fmt: skip
    if announced != own:
        return Line("ok", "database pooler", "it pools by session, the mode that works")
    return Line("ok", "database pooler", "none; one in between would have to pool by session")


def check_rights(connection: Connection) -> Iterator[Line]:
    """Whether the login of DATABASE_URL can do more than `serve` needs."""
    excess = [row.may for row in connection.execute(sql.statement("health/read_excess_rights"))]
    if excess:
        yield Line(
            "warn", "database rights", f"the login of DATABASE_URL {', '.join(excess)}: more than `serve` needs",
            "give `serve` a login of its own that is a member of me_status_api; the jobs keep this one",
        )  # fmt: skip
    else:
        yield Line("ok", "database rights", "no more than `serve` needs")


def check_links(connection: Connection) -> Iterator[Line]:
    """How many links are in doubt, a line per kind of doubt."""
    counts = {row.problem: row.links for row in connection.execute(sql.statement("snapshot/count_link_problems"))}
    remedies = {
        "conflict": ("claims in conflict", "give each client one account: `me-status status --json` lists them"),
        "dangling": ("accounts naming a client that is not there", "correct the link field of these accounts"),
        "unlinked_client": ("clients that no account claims", "fill the link field if they should be served"),
    }
    for problem, (what, remedy) in remedies.items():
        if counts.get(problem):
            yield Line("warn", "links", f"{counts[problem]:,} {what}{_first_link(connection, problem)}", remedy)
    if not counts:
        yield Line("ok", "links", "none in doubt")


def _first_link(connection: Connection, problem: str) -> str:
    """The first of a kind, by its ids."""
    asked = {"problem": problem, "at_most": 1}
    first = connection.execute(sql.statement("snapshot/list_link_problems"), asked).one_or_none()
    if first is None:
        return ""
    ends = ("account", first.customer_id), ("client", first.client_id)
    return ", such as " + " and ".join(f"{end} {key}" for end, key in ends if key is not None)


def _check_salesforce(loaded: Program) -> Iterator[Line]:
    try:
        loaded.settings.require("salesforce")
        source = salesforce.connect(loaded.settings, loaded.tables.mapping, loaded.tables.schedule)
    except SettingsError as error:
        yield from (Line("fail", "Salesforce settings", fault, "set it") for fault in error.faults)
        return
    except SourceError as error:
        yield Line("fail", "Salesforce login", str(error), "see above")
        return
    yield Line("ok", "Salesforce login", f"accepted by {loaded.settings.salesforce_instance_url}")
    if loaded.settings.salesforce_flow == "soap":
        yield Line(
            "warn", "Salesforce login", "SOAP login ends in Summer '27",
            "set SALESFORCE_CONSUMER_KEY and SALESFORCE_CONSUMER_SECRET (client credentials) instead",
        )  # fmt: skip
    try:
        yield from _check_fields(source, loaded)
    except SourceError as error:
        yield Line("fail", "Salesforce", str(error), "see above")
    yield from _check_skew("Salesforce", source.session.server_time)
    yield from _check_events(loaded)


def _check_events(loaded: Program) -> Iterator[Line]:
    """One line per channel of events: whether it is there, may be read, and has the field it should."""
    if not loaded.settings.event_channels:
        return
    try:
        listener.require(loaded.settings)
        for topic, faults in listener.faults_of_channels(loaded):
            yield from (Line("fail", "Salesforce events", fault, "see above") for fault in faults)
            if not faults:
                yield Line("ok", "Salesforce events", f"{topic} can be listened to")
    except SettingsError as error:
        yield from (Line("fail", "Salesforce events", fault, "set it") for fault in error.faults)
    except SourceError as error:
        yield Line("fail", "Salesforce events", str(error), "see above")


def _check_fields(source: SalesforceSource, loaded: Program) -> Iterator[Line]:
    for name, selected in salesforce_streams(loaded.tables.mapping).items():
        seen = source.fields_of(name)
        if seen is None:
            yield Line("warn", selected.sobject, "its describe cannot be read", "grant the user API access to it")
            continue
        folded = {field.lower() for field in seen}
        missing = [field for field in selected.mapped if field.lower() not in folded]
        for field in missing:
            is_required = field in selected.required
            yield Line(
                "fail" if is_required else "warn",
                f"{selected.sobject}.{field}",
                "is not there or hidden" + ("" if is_required else "; what it holds is null"),
                "create it, grant Read on it, or map another in ME_STATUS_FIELDS",
            )
        for field in (field for field in selected.mapped if seen.get(field)):
            yield Line(
                "warn", f"{selected.sobject}.{field}", "is a formula: its changes move no stamp",
                "its changes are seen by full pulls only; lower salesforce.full_every_hours, or store the value",
            )  # fmt: skip
        if not missing:
            yield Line("ok", selected.sobject, f"all {len(selected.mapped)} mapped fields are there")


def _check_skew(source: str, server_time: datetime | None) -> Iterator[Line]:
    if server_time is None:
        return
    ahead = server_time - datetime.now(UTC)
    if abs(ahead) > SKEW_ALLOWED:
        way = "ahead of" if ahead > timedelta() else "behind"
        apart = timedelta(seconds=round(abs(ahead).total_seconds()))
        yield Line(
            "warn", f"{source} clock", f"is {apart} {way} this machine's", "set this machine's clock by NTP, or theirs"
        )
    else:
        yield Line("ok", f"{source} clock", "agrees with this machine's")


def _check_whmcs(loaded: Program) -> Iterator[Line]:
    try:
        loaded.settings.require("whmcs")
    except SettingsError as error:
        yield from (Line("fail", "WHMCS settings", fault, "set it") for fault in error.faults)
        return
    try:
        source = whmcs.connect(loaded.settings, loaded.tables.mapping, loaded.tables.schedule)
    except SourceError as error:
        yield Line("fail", "WHMCS login", str(error), "see above")
        return
    yield Line("ok", "WHMCS login", f"accepted by {loaded.settings.whmcs_url}")
    try:
        yield from _check_actions(source)
        yield from _check_skew("WHMCS", source.transport.server_time)
        yield _check_zone(source, loaded.settings.whmcs_zone)
    finally:
        source.close()


def _check_actions(source: WhmcsSource) -> Iterator[Line]:
    for action, parameters in ACTIONS.items():
        try:
            source.check(action, **parameters)
        except PermissionDenied as error:
            lost = WITHOUT.get(action, "the job fails without it")
            yield Line("fail", f"WHMCS {action}", f"{error}; {lost}", "allow the action in the credentials' API role")
        except SourceError as error:
            yield Line("fail", f"WHMCS {action}", str(error), "see above")
        else:
            yield Line("ok", f"WHMCS {action}", "allowed")


def _check_zone(source: WhmcsSource, zone: ZoneInfo) -> Line:
    """Whether the server's own time, read in the configured zone, is the time it sends with its answers."""
    try:
        shown = source.transport.call("GetAutomationLog").get("currentDatetime")
        local = datetime.fromisoformat(str(shown)).replace(tzinfo=zone)
    except (SourceError, ValueError):
        return Line("ok", "WHMCS zone", f"{zone.key}; not checked, allow GetAutomationLog to have it checked")
    stamped = source.transport.server_time
    if stamped is not None and abs(local - stamped) > SKEW_ALLOWED:
        return Line(
            "warn", "WHMCS zone", f"its clock shows {shown}, which in {zone.key} is not now",
            "set WHMCS_TIMEZONE to the zone of the WHMCS server",
        )  # fmt: skip
    return Line("ok", "WHMCS zone", f"{zone.key}, as its clock shows")


def _tell(found: Iterable[Line], arguments: argparse.Namespace, code: int) -> int:
    """Prints the findings, without any secret that a message or an address may hold."""
    lines = [replace(line, finding=logs.scrub(line.finding), remedy=logs.scrub(line.remedy)) for line in found]
    if arguments.json:
        checks = [
            {"level": line.level, "thing": line.thing, "finding": line.finding, "remedy": line.remedy} for line in lines
        ]
        answer({"ok": code == SUCCESS, "checks": checks})
        return code
    for line in lines:
        remedy = f" -> {line.remedy}" if line.remedy else ""
        say(f"{line.level:4} {line.thing}: {line.finding}{remedy}")
    return code
