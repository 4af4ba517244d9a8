"""The streams: what is kept of each kind of record, under which names and types.

A stream's columns are those of its table `snapshot.<name>`. Pulled rows travel as `pyarrow.Table` in the schema of
`Stream.schema`; money travels as exact decimal text (the digits the source wrote) and becomes Decimal where it is
computed with.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["key_text", "key_integer", "text", "integer", "boolean", "date", "instant", "money"]
Source = Literal["salesforce", "whmcs"]


@cache
def arrow_types() -> dict[Kind, pa.DataType]:
    """How each kind of column travels. Arrow is imported here: who needs the names of streams starts without it."""
    import pyarrow as pa

    return {
        "key_text": pa.string(),
        "key_integer": pa.int64(),
        "text": pa.string(),
        "integer": pa.int64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "instant": pa.timestamp("us", tz="UTC"),
        "money": pa.string(),
    }


@dataclass(frozen=True)
class Stream:
    """One kind of record.

    `owner` is the column that leads to the customer (an account, client or service id).
    `uncompared` columns are stored with a change but never make one (stamps that move by themselves).
    `known` maps a status column to the column that carries its last known value forward.
    `linking` columns say which client an account is linked to.
    """

    name: str
    source: Source
    owner: str
    columns: dict[str, Kind]
    uncompared: frozenset[str] = frozenset()
    known: tuple[tuple[str, str], ...] = ()
    linking: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The key column: the first one."""
        return next(iter(self.columns))

    @property
    def has_integer_key(self) -> bool:
        return self.columns[self.key] == "key_integer"

    @cached_property
    def compared(self) -> tuple[str, ...]:
        """The columns that make a change when they differ."""
        return tuple(name for name in self.columns if name != self.key and name not in self.uncompared)

    @property
    def table(self) -> str:
        """The snapshot table, quoted for SQL."""
        return f'snapshot."{self.name}"'

    @cached_property
    def schema(self) -> pa.Schema:
        """Arrow schema of the stream's rows, in column order."""
        import pyarrow as pa

        return pa.schema([(name, arrow_types()[kind]) for name, kind in self.columns.items()])


ACCOUNT = Stream(
    name="account",
    source="salesforce",
    owner="account_id",
    columns={
        "account_id": "key_text",
        "is_customer": "boolean",
        "eligibility_word": "text",
        "eligibility_status": "text",
        "eligibility_known": "text",
        "eligibility": "text",
        "eligibility_requested_at": "instant",
        "eligibility_checked_at": "instant",
        "eligibility_notes": "text",
        "verification_word": "text",
        "verification_status": "text",
        "verification_known": "text",
        "verification_submitted_at": "instant",
        "verification_reviewed_at": "instant",
        "verification_notes": "text",
        "whmcs_client_id": "integer",
        "unreadable_link": "text",
        "account_number": "text",
        "portal_user_id": "text",
        "language": "text",
        "created_at": "instant",
        "modified_at": "instant",
    },
    uncompared=frozenset({"modified_at"}),
    known=(("eligibility_status", "eligibility_known"), ("verification_status", "verification_known")),
    linking=("whmcs_client_id", "account_number", "is_customer"),
)
ORDER = Stream(
    name="order",
    source="salesforce",
    owner="account_id",
    columns={
        "order_id": "key_text",
        "account_id": "text",
        "order_number": "text",
        "status": "text",
        "activation_status": "text",
        "stage": "text",
        "effective_on": "date",
        "created_at": "instant",
        "modified_at": "instant",
    },
    uncompared=frozenset({"modified_at"}),
)
CASE = Stream(
    name="case",
    source="salesforce",
    owner="account_id",
    columns={
        "case_id": "key_text",
        "account_id": "text",
        "case_number": "text",
        "subject": "text",
        "status": "text",
        "is_closed": "boolean",
        "created_at": "instant",
        "closed_at": "instant",
        "modified_at": "instant",
    },
    uncompared=frozenset({"modified_at"}),
)
CLIENT = Stream(
    name="client",
    source="whmcs",
    owner="client_id",
    columns={"client_id": "key_integer", "status": "text", "account_reference": "text"},
    linking=("account_reference",),
)
INVOICE = Stream(
    name="invoice",
    source="whmcs",
    owner="client_id",
    columns={
        "invoice_id": "key_integer",
        "client_id": "integer",
        "invoice_number": "text",
        "status": "text",
        "status_known": "text",
        "invoiced_on": "date",
        "due_on": "date",
        "paid_at": "instant",
        "total": "money",
        "currency": "text",
        "created_at": "instant",
    },
    known=(("status", "status_known"),),
)
SERVICE = Stream(
    name="service",
    source="whmcs",
    owner="client_id",
    columns={
        "service_id": "key_integer",
        "client_id": "integer",
        "status": "text",
        "status_known": "text",
        "product_name": "text",
        "registered_on": "date",
        "next_due_on": "date",
    },
    known=(("status", "status_known"),),
)
PAY_METHOD = Stream(
    name="pay_method",
    source="whmcs",
    owner="client_id",
    columns={
        "pay_method_id": "key_integer",
        "client_id": "integer",
        "kind": "text",
        "card_last_four": "text",
        "expires_on": "date",
    },
)
BALANCE = Stream(
    name="balance",
    source="whmcs",
    owner="client_id",
    columns={"invoice_id": "key_integer", "client_id": "integer", "balance": "money", "is_mass_pay": "boolean"},
)
CANCELLATION = Stream(
    name="cancellation",
    source="whmcs",
    owner="service_id",
    columns={"cancellation_id": "key_integer", "service_id": "integer", "kind": "text", "requested_at": "instant"},
)

STREAMS: dict[str, Stream] = {
    stream.name: stream
    for stream in (ACCOUNT, ORDER, CASE, CLIENT, INVOICE, SERVICE, PAY_METHOD, CANCELLATION, BALANCE)
}

UNKNOWN = "unknown"
INVOICE_STATUSES = frozenset({"Draft", "Unpaid", "Paid", "Cancelled", "Refunded", "Collections", "Payment Pending"})
SERVICE_STATUSES = frozenset({"Pending", "Active", "Completed", "Suspended", "Terminated", "Cancelled", "Fraud"})
"""WHMCS's own vocabularies (whmcs-api reference, section 6); another word is kept verbatim and flagged."""
ENDED_SERVICE = frozenset({"Cancelled", "Terminated"})
