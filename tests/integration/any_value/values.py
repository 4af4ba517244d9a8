"""JSON values of every kind, as their text: what a source may put where nobody expects it."""

from __future__ import annotations

import json
from random import Random

ABSURD = (
    *("null", "true", "false", "0", "-0", "1", "-1", "0.0", "1.5", "1e400", "-1e400", "1E+2", "1e-9"),
    *("100000000000000000000", "9223372036854775807", "-9223372036854775808", "1" * 400, "-" + "9" * 5000),
    *("[]", "{}", "[[]]", "[{}]", "[null]", "[0]", '{"":null}', '{"type":"Invoice"}', "[" * 300 + "]" * 300),
    *('{"item":[]}', '{"item":[{"type":"Invoice"}]}', '{"item":[{"type":7}]}'),
)
TEXTS = (
    "", " ", "\0", "\u200b", "\ud800", "\x0b", "null", "none", "N/A", "true", "0", "-1", "+1", "1_0", "1,006",
    "1.01E+05", "3,300.00", "-500.00", "0.00", "100.00", "1e3", "NaN", "Infinity", "１２", "#104", "0001-01-01",
    "9999-12-31", "2026-02-30", "0000-00-00", "-0001-11-30 00:00:00", "0001-01-01 00:00:00",
    "9999-12-31 23:59:59", "294276-12-31", "2026-11-03", "2026-11-03 12:00:00", "2026-03-08 02:30:00",
    "2026-11-01T08:00:00.000+0000", "2999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00", "2026-11-01T25:00:00Z", "1/29", "**/**", "13/29", "02/0000", "Unpaid",
    " unpaid ", "Paid", "Draft", "Active ", "active", "Approved ", "Activated", "Failed", "Closed", "JPY",
    "yen", "¥", "<b>1</b>", "&amp;", "&#0;", "&#xD800;", "&#1114112;", "'; drop table me_status; --",
    "%s {x} {0}", "\\N", "\t\n", "00100000000000", "001000000000001AAA", "x" * 300, "ｘ" * 3000, "z" * 70_000,
)  # fmt: skip
LETTERS = "aZ09 .,:;-+/\\'\"{}[]<>&%$#_\n\t\0\u200b\u00e9\u5186\U0001f600\ud800"


def any_value(random: Random) -> str:
    """The JSON text of a value: a known trap, or one that nobody thought of."""
    kind = random.random()
    if kind < 0.25:
        return random.choice(ABSURD)
    if kind < 0.6:
        return json.dumps(random.choice(TEXTS))
    return json.dumps(_invented(random, 3))


def _invented(random: Random, depth: int) -> object:
    kind = random.randrange(9 if depth else 7)
    if kind == 0:
        return random.choice((None, True, False))
    if kind == 1:
        return random.randrange(-(10 ** random.randrange(1, 30)), 10 ** random.randrange(1, 30))
    if kind == 2:
        return random.uniform(-1, 1) * 10.0 ** random.randrange(-300, 300)
    if kind == 3:
        return _stamp(random)
    if kind in (4, 5):
        return "".join(random.choices(LETTERS, k=random.randrange(12)))
    if kind == 6:
        return f"{random.randrange(10**9)}{random.choice(('', '.', ',', '.5', ' ', 'e5', 'x'))}"
    if kind == 7:
        return [_invented(random, depth - 1) for _ in range(random.randrange(4))]
    return {f"{_invented(random, 0)}": _invented(random, depth - 1) for _ in range(random.randrange(4))}


def _stamp(random: Random) -> str:
    """Something like a date, often beyond the calendar."""
    numbers = [random.randrange(high) for high in (11_000, 14, 33, 26, 62, 62)]
    form = random.choice(("{0:04}-{1:02}-{2:02}", "{0:04}-{1:02}-{2:02} {3:02}:{4:02}:{5:02}", "{1:02}/{0:02}"))
    zone = random.choice(("", "", "Z", "+00:00", "-14:00", ".000+0000"))
    return form.format(*numbers) + zone
