"""SOQL, the part a sync uses: text to a syntax tree (salesforce-api 3.3). Names are checked elsewhere (soql_run)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

Scalar = str | bool | Decimal | date | datetime | None
TOKEN = re.compile(
    r"""\s*(?:
      (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)(?![\w:])
    | (?P<number>[+-]?\d+(?:\.\d+)?)(?![\w:])
    | (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    | (?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,)
    )""",
    re.VERBOSE,
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
CALLS = ("max", "calendar_year", "calendar_month")
AFTER_FIELDS = ("from", "order", "limit", "offset")
OPERATORS = ("=", "!=", "<>", "<", "<=", ">", ">=")
Operator = Literal["=", "!=", "<", "<=", ">", ">=", "in", "not in", "like"]


class SoqlError(Exception):
    """What Salesforce answers with 400: `code` such as MALFORMED_QUERY, and the message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Path:
    """A field or a path over one parent, as written, and where it stands in the text (from 0)."""

    text: str
    at: int


@dataclass(frozen=True)
class Count:
    """COUNT() (`field` None) or COUNT(field) with an optional alias."""

    field: Path | None
    alias: str | None


@dataclass(frozen=True)
class Call:
    """What a grouped query may select or group by: MAX, CALENDAR_YEAR or CALENDAR_MONTH of a field."""

    function: str
    field: Path
    alias: str | None


@dataclass(frozen=True)
class Constant:
    """A value and whether it stood in quotes."""

    value: Scalar
    quoted: bool


@dataclass(frozen=True)
class Compare:
    path: Path
    operator: Operator
    literals: tuple[Constant, ...]


@dataclass(frozen=True)
class Both:
    """AND or OR of two or more."""

    word: Literal["and", "or"]
    parts: tuple[Where, ...]


@dataclass(frozen=True)
class Not:
    part: Where


Where = Compare | Both | Not


@dataclass(frozen=True)
class Order:
    path: Path
    descending: bool
    nulls_first: bool


@dataclass(frozen=True)
class Query:
    """One SELECT. `fields` holds paths, or one FIELDS(..) word, or counts; with `groups` also calls."""

    text: str
    fields: tuple[Path | Count | Call, ...]
    all_fields: bool
    sobject: Path
    where: Where | None
    order: tuple[Order, ...]
    limit: int | None
    offset: int
    groups: tuple[Path | Count | Call, ...] = ()


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Query:
    """The query. Raises SoqlError MALFORMED_QUERY where it cannot be read."""
    return _Parser(text).query()


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    end = len(text.rstrip())
    while at < end:
        found = TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{text[at:].split()[0]}'")
        tokens.append(_Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup)))
        at = found.end()
    return [*tokens, _Token("end", "<EOF>", end)]


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.at = 0

    def query(self) -> Query:
        self._expect("select")
        fields, all_fields = self._select()
        self._expect("from")
        sobject = self._path()
        where = self._any_of() if self._accept("where") else None
        groups = self._groups() if self._accept("group") else ()
        order = self._order() if self._accept("order") else ()
        limit = self._integer() if self._accept("limit") else None
        offset = self._integer() if self._accept("offset") else 0
        if self._now.kind != "end":
            raise self._unexpected()
        if all_fields and (limit is None or limit > 200):
            raise SoqlError("MALFORMED_QUERY", "The SOQL FIELDS function must have a LIMIT of at most 200")
        return Query(self.text, fields, all_fields, sobject, where, order, limit, offset, groups)

    @property
    def _now(self) -> _Token:
        return self.tokens[self.at]

    def _next(self) -> _Token:
        token = self._now
        self.at += token.kind != "end"
        return token

    def _unexpected(self) -> SoqlError:
        if self._now.kind == "end":
            return SoqlError("MALFORMED_QUERY", "unexpected token: <EOF>")
        line = f"\n{self.text}\n{' ' * self._now.at}^\nERROR at Row:1:Column:{self._now.at + 1}\n"
        return SoqlError("MALFORMED_QUERY", f"{line}unexpected token: '{self._now.text}'")

    def _accept(self, word: str) -> bool:
        if self._now.text.lower() != word or self._now.kind not in ("name", "sign"):
            return False
        self._next()
        return True

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise self._unexpected()

    def _path(self) -> Path:
        if self._now.kind != "name":
            raise self._unexpected()
        token = self._next()
        return Path(token.text, token.at)

    def _integer(self) -> int:
        if self._now.kind != "number" or not self._now.text.isdigit():
            raise self._unexpected()
        return int(self._next().text)

    def _select(self) -> tuple[tuple[Path | Count | Call, ...], bool]:
        if self._now.text.lower() == "fields" and self.tokens[self.at + 1].text == "(":
            self._next()
            self._expect("(")
            self._path()
            self._expect(")")
            return (), True
        return self._fields(), False

    def _groups(self) -> tuple[Path | Count | Call, ...]:
        self._expect("by")
        return self._fields()

    def _fields(self) -> tuple[Path | Count | Call, ...]:
        fields = [self._field()]
        while self._accept(","):
            fields.append(self._field())
        return tuple(fields)

    def _field(self) -> Path | Count | Call:
        path = self._path()
        function = path.text.lower()
        if function not in ("count", *CALLS) or not self._accept("("):
            return path
        field = None if function == "count" and self._now.text == ")" else self._path()
        self._expect(")")
        has_alias = self._now.kind == "name" and self._now.text.lower() not in AFTER_FIELDS
        alias = self._next().text if has_alias else None
        return Count(field, alias) if field is None or function == "count" else Call(function, field, alias)

    def _any_of(self) -> Where:
        return self._joined("or", self._all_of)

    def _all_of(self) -> Where:
        return self._joined("and", self._condition)

    def _joined(self, word: Literal["and", "or"], part: Callable[[], Where]) -> Where:
        parts = [part()]
        while self._accept(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Both(word, tuple(parts))

    def _condition(self) -> Where:
        if self._accept("not"):
            return Not(self._condition())
        if self._accept("("):
            where = self._any_of()
            self._expect(")")
            return where
        return self._comparison()

    def _comparison(self) -> Compare:
        path = self._path()
        if self._accept("in"):
            return Compare(path, "in", self._list())
        if self._accept("not"):
            self._expect("in")
            return Compare(path, "not in", self._list())
        if self._accept("like"):
            return Compare(path, "like", (self._literal(),))
        if self._now.text not in OPERATORS:
            raise self._unexpected()
        sign = self._next().text
        operator: Operator = "!=" if sign == "<>" else sign  # type: ignore[assignment]
        return Compare(path, operator, (self._literal(),))

    def _list(self) -> tuple[Constant, ...]:
        self._expect("(")
        literals = [self._literal()]
        while self._accept(","):
            literals.append(self._literal())
        self._expect(")")
        return tuple(literals)

    def _literal(self) -> Constant:
        token = self._now
        value = _value(token)
        if isinstance(value, _Token):
            raise self._unexpected()
        self._next()
        return Constant(value, token.kind == "string")

    def _order(self) -> tuple[Order, ...]:
        self._expect("by")
        terms = [self._order_term()]
        while self._accept(","):
            terms.append(self._order_term())
        return tuple(terms)

    def _order_term(self) -> Order:
        path = self._path()
        descending = self._accept("desc")
        if not descending:
            self._accept("asc")
        nulls_first = True
        if self._accept("nulls"):
            nulls_first = self._accept("first")
            if not nulls_first:
                self._expect("last")
        return Order(path, descending, nulls_first)


def _value(token: _Token) -> Scalar | _Token:
    """The value of a literal token; the token itself when it is none."""
    match token.kind:
        case "string":
            return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), token.text[1:-1])
        case "number":
            return Decimal(token.text)
        case "date":
            return date.fromisoformat(token.text)
        case "datetime":
            return datetime.fromisoformat(token.text).astimezone(UTC)
        case "name" if token.text.lower() in WORDS:
            return WORDS[token.text.lower()]
    return token


WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
