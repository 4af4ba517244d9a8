"""Salesforce objects as rows of their streams: which fields are asked for, and what the words in them mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from config.fields import AccountFilter, FieldMapping, OrderWords
from config.wording import language_of
from jobs.sources import columns
from jobs.sources.columns import Column, Need, Parser, ReadRows
from materializer.snapshot.streams import ACCOUNT, CASE, ORDER, UNKNOWN, Stream

SYSTEM = ("Id", "IsDeleted", "CreatedDate", "SystemModstamp")


@dataclass(frozen=True)
class SalesforceStream:
    """One stream's object: the fields mapped, those the pull cannot do without, and how records become rows."""

    stream: Stream
    sobject: str
    columns: tuple[Column, ...]
    required: frozenset[str]
    derive: Callable[[pa.Table], pa.Table]
    system: tuple[str, ...] = SYSTEM

    @property
    def mapped(self) -> tuple[str, ...]:
        """The mapped API names, each once, in order."""
        return tuple(dict.fromkeys(column.key for column in self.columns if column.key not in self.system))

    def rows(self, records: Sequence[Mapping[str, Any]], start: int) -> ReadRows:
        """The records as rows of the stream; `start` is the place of the first one in the pull, for those set aside."""
        read = columns.read(
            records, self.columns, lambda at: f"record {start + at + 1} of {self.sobject}", self.stream.owner
        )
        return replace(read, rows=self.derive(read.rows))


def salesforce_streams(mapping: FieldMapping) -> dict[str, SalesforceStream]:
    """The Salesforce streams by name, as the mapping wants them."""
    return {
        wanted_stream.stream.name: wanted_stream
        for wanted_stream in (_account(mapping), _order(mapping), _case(mapping))
    }


def _columns(*wanted: tuple[str, str | None, Parser, Need]) -> tuple[Column, ...]:
    return tuple(Column(name, key, parse, need) for name, key, parse, need in wanted if key)


def _account(mapping: FieldMapping) -> SalesforceStream:
    fields, link = mapping.account, mapping.link
    link_field = fields.whmcs_client_id if link.held_by == "account" else None
    by_number = link.held_by == "client" and link.client_field_holds == "account_number"
    wanted = _columns(
        ("account_id", "Id", columns.salesforce_id, "present"),
        ("eligibility_word", fields.eligibility_status, columns.quoted_word, "free"),
        ("verification_word", fields.verification_status, columns.quoted_word, "free"),
        ("eligibility", fields.eligibility, columns.text, "free"),
        ("eligibility_requested_at", fields.eligibility_requested_at, columns.instant, "free"),
        ("eligibility_checked_at", fields.eligibility_checked_at, columns.instant, "free"),
        ("eligibility_notes", fields.eligibility_notes, columns.text, "free"),
        ("verification_submitted_at", fields.verification_submitted_at, columns.instant, "free"),
        ("verification_reviewed_at", fields.verification_reviewed_at, columns.instant, "free"),
        ("verification_notes", fields.verification_notes, columns.text, "free"),
        ("whmcs_client_id", link_field, columns.link, "free"),
        ("unreadable_link", link_field, columns.unreadable_link, "free"),
        ("account_number", "AccountNumber" if by_number else None, columns.text, "readable"),
        ("portal_user_id", fields.portal_user_id, columns.text, "free"),
        ("language", fields.language, _languages, "free"),
        ("created_at", "CreatedDate", columns.instant, "free"),
        ("modified_at", "SystemModstamp", columns.instant, "free"),
        ("filter", mapping.account_filter.field if mapping.account_filter else None, columns.word, "readable"),
    )
    required = {fields.eligibility_status, fields.verification_status, "Id", "SystemModstamp"}
    required |= {mapping.account_filter.field} if mapping.account_filter else set()
    required |= {"AccountNumber"} if by_number else set()
    return SalesforceStream(
        ACCOUNT, "Account", wanted, frozenset(required), _account_deriver(mapping), (*SYSTEM, "MasterRecordId")
    )


def _account_deriver(mapping: FieldMapping) -> Callable[[pa.Table], pa.Table]:
    eligibility = _meanings(mapping.words.eligibility.model_dump(), "not_requested")
    verification = _meanings(mapping.words.verification.model_dump(), "not_submitted")
    admitted = _admitted(mapping.account_filter)

    def derive(rows: pa.Table) -> pa.Table:
        eligibility_status = _mapped(rows["eligibility_word"], eligibility)
        verification_status = _mapped(rows["verification_word"], verification)
        return _complete(
            ACCOUNT,
            rows,
            is_customer=admitted(rows),
            eligibility_status=eligibility_status,
            eligibility_known=_known(eligibility_status),
            verification_status=verification_status,
            verification_known=_known(verification_status),
        )

    return derive


def _languages(values: Sequence[Any]) -> columns.Parsed:
    """The language each value begins with; a value of another kind or language is none, and no fault of its record."""
    return pa.array([language_of(str(value)) if value else None for value in values], pa.string()), {}


def _meanings(words: Mapping[str, Sequence[str]], when_null: str) -> dict[str | None, str]:
    return {None: when_null} | {word: status for status, given in words.items() for word in given}


def _mapped(words: pa.ChunkedArray, meanings: Mapping[str | None, str]) -> pa.Array:
    return pa.array([meanings.get(word and word.strip(), UNKNOWN) for word in words.to_pylist()], pa.string())


def _known(statuses: pa.Array) -> pa.Array:
    return pa.array([None if status == UNKNOWN else status for status in statuses.to_pylist()], pa.string())


def _admitted(rule: AccountFilter | None) -> Callable[[pa.Table], pa.Array]:
    if rule is None:
        return lambda rows: pa.array([True] * rows.num_rows, pa.bool_())
    values = {str(value) for value in rule.any_of} | {
        str(value).lower() for value in rule.any_of if value is True or value is False
    }
    return lambda rows: pa.array([value in values for value in rows["filter"].to_pylist()], pa.bool_())


def _order(mapping: FieldMapping) -> SalesforceStream:
    fields = mapping.order
    wanted = _columns(
        ("order_id", "Id", columns.salesforce_id, "present"),
        ("account_id", fields.account_id, columns.salesforce_id, "readable"),
        ("order_number", fields.order_number, columns.text, "free"),
        ("status", fields.status, columns.word, "readable"),
        ("activation_status", fields.activation_status, columns.word, "readable"),
        ("effective_on", fields.effective_on, columns.day, "free"),
        ("created_at", "CreatedDate", columns.instant, "free"),
        ("modified_at", "SystemModstamp", columns.instant, "free"),
    )

    def derive(rows: pa.Table) -> pa.Table:
        return _complete(ORDER, rows, stage=_stages(rows, mapping.words.order))

    required = frozenset({"Id", "SystemModstamp", fields.status, fields.account_id})
    return SalesforceStream(ORDER, "Order", wanted, required, derive)


def _stages(rows: pa.Table, words: OrderWords) -> pa.Array:
    statuses = rows["status"].to_pylist()
    activations = (
        rows["activation_status"].to_pylist() if "activation_status" in rows.schema.names else [None] * len(statuses)
    )
    known: dict[tuple[str | None, str | None], str] = {}
    pairs = list(zip(statuses, activations, strict=True))
    for pair in set(pairs):
        known[pair] = stage(*pair, words)
    return pa.array([known[pair] for pair in pairs], pa.string())


def stage(status: str | None, activation: str | None, words: OrderWords) -> str:
    """Where an order stands. What activation says weighs more than the order's own status; no status is unknown."""
    if activation in words.failed:
        return "failed"
    if activation in words.activated:
        return "activated"
    if status is None:
        return UNKNOWN
    for name in ("draft", "closed", "approved"):
        if status in getattr(words, name):
            return name
    return "in_progress"


def _case(mapping: FieldMapping) -> SalesforceStream:
    fields = mapping.case
    wanted = _columns(
        ("case_id", "Id", columns.salesforce_id, "present"),
        ("account_id", fields.account_id, columns.salesforce_id, "readable"),
        ("case_number", fields.case_number, columns.text, "free"),
        ("subject", fields.subject, columns.text, "free"),
        ("status", fields.status, columns.word, "readable"),
        ("is_closed", fields.is_closed, columns.boolean, "present"),
        ("created_at", fields.created_at, columns.instant, "free"),
        ("closed_at", fields.closed_at, columns.instant, "free"),
        ("modified_at", "SystemModstamp", columns.instant, "free"),
    )
    required = frozenset({"Id", "SystemModstamp", fields.is_closed, fields.account_id})
    return SalesforceStream(CASE, "Case", wanted, required, lambda rows: _complete(CASE, rows))


def _complete(stream: Stream, rows: pa.Table, **derived: pa.Array) -> pa.Table:
    """All columns of the stream in order; those not read are null."""
    arrays = [
        derived[field.name]
        if field.name in derived
        else rows[field.name]
        if field.name in rows.schema.names
        else pa.nulls(rows.num_rows, field.type)
        for field in stream.schema
    ]
    return pa.table(arrays, schema=stream.schema)
