"""Asks WHMCS directly whether a record is gone: missing from a list is not enough (whmcs-api 8.8)."""

from __future__ import annotations

from collections.abc import Callable, Collection

from config.schedule import Schedule
from jobs.progress import silent
from jobs.sources.errors import ProtocolError
from jobs.sources.spool import SpooledRows
from jobs.sources.whmcs.answers import NoSuchRecord, UnreadablePage
from jobs.sources.whmcs.reading import Reading
from jobs.sources.whmcs.rows import WhmcsStream
from jobs.sources.whmcs.sweep import read_whole
from jobs.sources.whmcs.transport import WhmcsTransport
from materializer.snapshot.pulls import Key


def confirmer(
    transport: WhmcsTransport, wanted_stream: WhmcsStream, schedule: Schedule
) -> Callable[[Collection[Key]], set[Key]]:
    """A look-up of the stream's keys that returns those gone; an answer about another record proves nothing (Q27)."""
    name = wanted_stream.stream.name
    if name == "cancellation":
        return lambda keys: _missing_again(transport, wanted_stream, schedule, keys)
    if name == "pay_method":
        return lambda keys: set(keys)  # a client's pay methods are always read whole

    def is_gone(key: int) -> bool:
        if name == "invoice":
            return _is_not_found(transport, "GetInvoice", invoiceid=key)
        if name == "client":
            return _is_not_found(transport, "GetClientsDetails", clientid=key)
        return _is_service_gone(transport, wanted_stream, key)

    def confirm_gone(keys: Collection[Key]) -> set[Key]:
        wanted = [int(key) for key in keys]
        return {key for key, gone in transport.in_parallel(is_gone, wanted) if gone}

    return confirm_gone


def _is_not_found(transport: WhmcsTransport, action: str, **parameters: int) -> bool:
    try:
        transport.call(action, **parameters)
    except NoSuchRecord:
        return True
    except (UnreadablePage, ProtocolError):
        return False
    return False


def _is_service_gone(transport: WhmcsTransport, wanted_stream: WhmcsStream, service_id: int) -> bool:
    try:
        page = transport.page(wanted_stream.action, 0, 1, serviceid=service_id)
    except NoSuchRecord:
        return True
    except (UnreadablePage, ProtocolError):
        return False
    return page.received == 0 and page.total == 0


def _missing_again(
    transport: WhmcsTransport, wanted_stream: WhmcsStream, schedule: Schedule, keys: Collection[Key]
) -> set[Key]:
    """Requests have no look-up of their own: a second sweep, whole and without a row of unknown id, must agree."""
    again = Reading(wanted_stream, SpooledRows(wanted_stream.stream), silent().start("WHMCS look-up"))
    with again.spool:
        if read_whole(transport, again, schedule.whmcs.page_size) is not None or again.unreadable:
            return set()
        again.parse()
        present: set[Key] = set(again.set_aside)
        for part in again.spool.windows(schedule.limits.window_rows):
            present.update(part[wanted_stream.stream.key].to_pylist())
    return {key for key in keys if key not in present and str(key) not in present}
