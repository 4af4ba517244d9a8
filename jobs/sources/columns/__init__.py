"""From decoded records to typed Arrow columns: a whole column at once, value by value only where that fails.

A value that cannot be read sets its record aside, never the page; one that decides nothing is null by itself. No value
is guessed; empty text, zero dates, and dates and instants outside 1900 to 2999 are null.
"""

from jobs.sources.columns.dates import day, expiry, instant, local_instant
from jobs.sources.columns.identifiers import link, salesforce_id, unreadable_link
from jobs.sources.columns.numbers import boolean, integer, loose_integer, money, one_boolean
from jobs.sources.columns.parsing import Parsed, Parser
from jobs.sources.columns.records import Column, Need, ReadRows, read, read_lists, transposed
from jobs.sources.columns.texts import bare_text, currency, encoded_text, encoded_word, quoted_word, text, word

__all__ = [
    "Column",
    "Need",
    "Parsed",
    "Parser",
    "ReadRows",
    "bare_text",
    "boolean",
    "currency",
    "day",
    "encoded_text",
    "encoded_word",
    "expiry",
    "instant",
    "integer",
    "link",
    "local_instant",
    "loose_integer",
    "money",
    "one_boolean",
    "quoted_word",
    "read",
    "read_lists",
    "salesforce_id",
    "text",
    "transposed",
    "unreadable_link",
    "word",
]
