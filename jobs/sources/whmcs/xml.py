"""One row read as XML, where JSON fails: XML carries text that is not valid UTF-8 (whmcs-api Q9).

The fields that are taken are mostly whole; what is broken is a note or a name that is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree

from jobs.sources.columns import loose_integer

ILLEGAL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
BROKEN = "\ufffd"


@dataclass(frozen=True)
class XmlRow:
    """The first row of an answer, as text by key, and the total that the answer gives."""

    values: dict[str, str | None]
    total: int | None

    @property
    def is_broken(self) -> bool:
        """Whether one of the values itself is not valid UTF-8."""
        return any(BROKEN in value for value in self.values.values() if value)


def row_of(body: bytes, container: str, item: str, keys: Iterable[str]) -> XmlRow | None:
    """The first row under `container/item`; None when the answer is not a success, has no row or is not XML."""
    text = ILLEGAL.sub("", body.decode("utf-8", "replace"))
    if "<!DOCTYPE" in text:
        return None
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - without a DOCTYPE there are no entities to expand
    except ElementTree.ParseError:
        return None
    row = root.find(f"{container}/{item}")
    if row is None or root.findtext("result") != "success":
        return None
    return XmlRow({key: row.findtext(key) for key in keys}, loose_integer(root.findtext("totalresults")))
