"""One play: records spoilt at their first reading, well again, spoilt once more; and what is wrong then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

from tests.integration.any_value.judge import DECIDES, KEYS, Spoilt, is_right, may_be_key, parts_of, value_of
from tests.integration.any_value.values import any_value
from tests.integration.any_value.world import FIELDS, Person, Product, World

APART = ("order", "case", "service", "pay_method", "cancellation")
"""Streams whose records may be spoilt at once for one customer: each decides another part of the document."""
Document = Mapping[str, Any]
SetAside = tuple[str, str, str, str]
Read = Callable[[str], Document | None]


class Play:
    """Spoils records of most customers, leaves every fifth alone, and judges what each is served.

    `values` counts what was put into records, each of them in another one.
    """

    def __init__(self, world: World, product: Product, read: Read, seed: int) -> None:
        self._world, self._product, self._read = world, product, read
        self._random = Random(seed)
        self._spoilt: dict[str, list[Spoilt]] = {}
        self.values = 0

    def faults(self) -> Iterator[str]:
        """What was wrong, in words: nothing is right."""
        self._spoil()
        yield from self._run()
        first, aside = self._served(), self._product.set_aside()
        yield from self._goes_on()
        first_spoilt = self._spoilt
        self._world.spoilt.clear()
        yield from self._run()
        yield from (f"still set aside: {dict(row)}" for row in self._product.set_aside())
        well = self._served()
        yield from self._judged(first, first_spoilt, aside, well, is_first=True)
        yield from self._is_well(well, first_spoilt)
        self._spoil()
        yield from self._run()
        yield from self._judged(self._served(), self._spoilt, self._product.set_aside(), well, is_first=False)
        self._world.spoilt.clear()
        yield from self._run()
        yield from self._is_well(self._served(), self._spoilt)

    # What is done ----------------------------------------------------------------------------------------------------

    def _spoil(self) -> None:
        self._spoilt = {person.account: [] for person in self._world.people}
        for number, person in enumerate(self._world.people):
            if number % 5 == 1:
                self._spoil_record(person, ("account", "client")[number // 5 % 2])
            elif number % 5:
                for stream in (*APART, ("invoice", "balance")[number % 2]):
                    self._spoil_record(person, stream)

    def _spoil_record(self, person: Person, stream: str) -> None:
        field, raw = self._random.choice(FIELDS[stream]), any_value(self._random)
        while field in KEYS and may_be_key(value_of(raw)):
            raw = any_value(self._random)  # a key names its record, and a list names each once
        self._world.spoilt[stream, person.key(stream)] = field, raw
        self._spoilt[person.account].append((stream, field, raw))
        self.values += 1

    def _run(self) -> Iterator[str]:
        for report in self._product.run():
            if report.outcome != "succeeded":
                yield f"{report.job} {report.outcome}: {report.error}"
        state = self._product.state()
        if (count := len(self._product.set_aside())) != state["problemCounts"]["refusedRecords"]:
            yield f"{count} records are set aside, status counts {state['problemCounts']}"
        yield from (
            f"{kind}: {state['problems'][kind]}"
            for kind in ("failedCustomers", "incompleteStreams")
            if state["problems"][kind]
        )

    def _served(self) -> dict[str, Document]:
        served = {person.account: self._read(person.account) for person in self._world.people}
        return {account: document for account, document in served.items() if document is not None}

    def _goes_on(self) -> Iterator[str]:
        """A change of a customer left alone is seen by the next incremental pulls."""
        witness, org, install = self._world.people[0], self._world.org, self._world.install
        org.update("Case", witness.case, IsClosed=True, Status="Closed")
        install.pay_invoice(witness.invoice)
        self._product.run(full=False)
        seen = parts_of(self._read(witness.account) or {})
        if ((1,), 1) != (seen["case"], seen["invoice"][0]):
            yield f"a later change is not seen: {seen}"
        org.update("Case", witness.case, IsClosed=False, Status="New")
        install.set_invoice_status(witness.invoice, "Unpaid", datepaid=None)

    # What is judged --------------------------------------------------------------------------------------------------

    def _judged(
        self,
        served: Mapping[str, Document],
        spoilt: Mapping[str, list[Spoilt]],
        aside: list[Mapping[str, Any]],
        well: Mapping[str, Document],
        *,
        is_first: bool,
    ) -> Iterator[str]:
        for person in self._world.people:
            mine, document = spoilt[person.account], served.get(person.account)
            if document is not None:
                yield from _wrong(document, well[person.account], mine, _aside_of(person, aside), is_first=is_first)
            elif not mine or mine[0][:2] not in (("account", "Id"), ("account", "IsDeleted")):
                yield f"{mine}: not served"

    def _is_well(self, well: Mapping[str, Document], spoilt: Mapping[str, list[Spoilt]]) -> Iterator[str]:
        """All are alike again."""
        healthy = {
            "account": ("eligible", "verified"), "link": ("linked",), "order": (2,), "case": (2,), "service": (2,),
            "invoice": (2, 0, "120.00", "JPY"), "pay_method": (2, False),
        }  # fmt: skip
        for person in self._world.people:
            document = well.get(person.account)
            found = document and parts_of(document)
            if found != healthy:
                yield f"not well again after {spoilt[person.account]}: {found}"


def _wrong(
    document: Document, well: Document, mine: list[Spoilt], aside: list[SetAside], *, is_first: bool
) -> Iterator[str]:
    """What is wrong with one customer's document, given what it is when all is well."""
    found, healthy = parts_of(document), parts_of(well)
    for part in found:
        guilty = next((one for one in mine if part in DECIDES[one[0]]), None)
        is_aside = guilty is not None and guilty[0] in {stream for stream, *_ in aside}
        if guilty is None:
            right = found[part] == healthy[part]
        else:
            right = is_right(part, found[part], healthy[part], guilty, set_aside=is_aside, is_first=is_first)
        if not right:
            seen = "first seen" if is_first else "known"
            yield f"{str(guilty)[:200]}, {seen}: {part} is {found[part]}, well {healthy[part]}; set aside: {aside}"
    if not mine and _content(document) != _content(well):
        yield f"left alone, and served {document} instead of {well}"


def _aside_of(person: Person, aside: list[Mapping[str, Any]]) -> list[SetAside]:
    """Stream, record, field and reason of everything of this customer's that was set aside."""
    owners = {str(person.client), person.account, str(person.service)}
    return [
        (row["stream"], row["record_id"], row["field"], row["reason"])
        for row in aside
        if row["owner_id"] in owners or row["record_id"] in (str(person.key(row["stream"])), f"client {person.client}")
    ]


def _content(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "freshness"}
