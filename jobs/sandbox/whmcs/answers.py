"""The bytes of a WHMCS answer: envelope, list containers, JSON, XML and the old name=value form (reference 3 and 5)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import orjson

from jobs.sandbox.tables import Row
from jobs.sandbox.whmcs.quirks import JSON_FAILURE, Failure, Quirks

TYPES = {"json": "application/json", "xml": "text/xml; charset=utf-8", "nvp": "text/plain; charset=utf-8"}


class Refusal(Exception):  # noqa: N818
    """An action that answers with an error: its message and HTTP status (section 3)."""

    def __init__(self, message: str, status: str = "200 OK") -> None:
        super().__init__(message)
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Reply:
    """An HTTP answer before it is sent."""

    status: str
    content_type: str
    body: bytes


@dataclass(frozen=True)
class Shape:
    """How one action lists its rows: outer and inner key (None: a plain array), and the typing of ids and totals."""

    outer: str
    inner: str | None
    ids: frozenset[str]
    ids_as: str = "int"
    total_as: str = "int"


def succeed(fields: Row, quirks: Quirks, form: str) -> Reply:
    """The fields in a success envelope; the error of Q9 instead when JSON cannot carry a text of theirs."""
    warning = {"warning": quirks.warning} if quirks.warning else {}
    envelope = {"result": "success", **warning, **fields}
    if form == "json" and _is_broken(envelope):
        return refuse(Refusal(JSON_FAILURE), quirks, form)
    return Reply("200 OK", TYPES[form], _encode(envelope, quirks, form))


def refuse(refusal: Refusal, quirks: Quirks, form: str) -> Reply:
    """The error envelope, under "status" instead of "result" where the quirk says so (Q4)."""
    envelope = {quirks.error_key: "error", "message": refusal.message}
    return Reply(refusal.status, TYPES[form], _encode(envelope, quirks, form))


def fail(failure: Failure, quirks: Quirks, form: str) -> Reply:
    """An answer on demand: a page, a lone warning (Q6) or an error."""
    if failure.body:
        return Reply(failure.status, "text/html; charset=utf-8", failure.body.encode())
    if failure.key == "warning":
        return Reply(failure.status, TYPES[form], _encode({"warning": failure.message}, quirks, form))
    return refuse(Refusal(failure.message, failure.status), quirks, form)


def listed(shape: Shape, rows: list[Row], quirks: Quirks) -> Row:
    """The rows as the top-level fields that hold them: `{"invoices": {"invoice": [...]}}` or a variant (Q13-Q16)."""
    typed = [_typed(row, shape, quirks, at) for at, row in enumerate(rows)]
    if not typed:
        return _empty(shape, quirks)
    content: Any = typed
    if quirks.single_as_object and len(typed) == 1:
        content = typed[0]
    elif quirks.numeric_keys:
        content = {str(at): row for at, row in enumerate(typed)}
    if quirks.flat_keys:
        path = f"{shape.outer}[{shape.inner}]" if shape.inner else shape.outer
        return dict(_flattened(path, typed))
    return {shape.outer: {shape.inner: content} if shape.inner else content}


def _empty(shape: Shape, quirks: Quirks) -> Row:
    inner = shape.inner or shape.outer.removesuffix("s")
    forms: dict[str, Row] = {
        "missing": {},
        "text": {shape.outer: ""},
        "list": {shape.outer: []},
        "object": {shape.outer: {}},
        "nested_list": {shape.outer: {inner: []}},
        "nested_text": {shape.outer: {inner: ""}},
    }
    return forms[quirks.empty_list if shape.inner else quirks.empty_pay_methods]


def _flattened(path: str, value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, list | dict) and value:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from _flattened(f"{path}[{key}]", inner)
    else:
        yield path, value


def _typed(row: Row, shape: Shape, quirks: Quirks, at: int) -> Row:
    mode = {"faithful": shape.ids_as, "mixed": ("int", "str")[at % 2]}.get(quirks.ids, quirks.ids)
    if mode == "int":
        return row
    return {**row, **{name: str(row[name]) for name in shape.ids if isinstance(row.get(name), int)}}


def typed_ids(row: Row, shape: Shape, quirks: Quirks) -> Row:
    """One record's ids as the quirk says, for actions that answer with a single record."""
    return _typed(row, shape, quirks, 1)


def totals(shape: Shape, total: int, start: int, returned: int, quirks: Quirks) -> Row:
    """totalresults, startnumber and numreturned; the first is text in some actions even by default (7.3, 7.8)."""
    counters: Row = {"totalresults": total, "startnumber": start, "numreturned": returned}
    if quirks.counters == "str":
        return {name: str(value) for name, value in counters.items()}
    if quirks.counters == "faithful" and shape.total_as == "str":
        counters["totalresults"] = str(total)
    return counters


def _is_broken(envelope: Row) -> bool:
    try:
        orjson.dumps(envelope)
    except orjson.JSONEncodeError:
        return True
    return False


def _encode(envelope: Row, quirks: Quirks, form: str) -> bytes:
    if form == "xml":
        return _xml(envelope)
    if form == "nvp":
        scalars = (f"{name}={value};" for name, value in envelope.items() if not isinstance(value, list | dict))
        return "".join(scalars).encode("utf-8", "surrogateescape")
    if quirks.escaped_unicode:
        return json.dumps(envelope, separators=(",", ":")).replace("/", "\\/").encode()
    return orjson.dumps(envelope).replace(b"/", b"\\/")


def _xml(envelope: Row) -> bytes:
    text = "".join(_elements(name, value) for name, value in envelope.items())
    document = f'<?xml version="1.0" encoding="utf-8"?>\n<whmcsapi>\n{text}</whmcsapi>'
    return document.encode("utf-8", "surrogateescape")


def _elements(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_elements(name, one) for one in value)
    if isinstance(value, dict):
        inner = "".join(_elements(str(key), one) for key, one in value.items())
        return _element(name, f"\n{inner}")
    return _element(name, _scalar(value))


def _element(name: str, content: str) -> str:
    tag = name if re.fullmatch(r"[A-Za-z_][\w.-]*", name) else f"item{re.sub(r'[^A-Za-z0-9]+', '_', name)}"
    return f"<{tag}>{content}</{tag}>\n"


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return "" if value is None else escape(str(value))
