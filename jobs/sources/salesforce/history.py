"""The path of the two account statuses, where the org keeps field history (Account field history tracking)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import structlog

from config.fields import AccountFields
from config.salesforce_id import if_readable
from jobs.sources.columns import instant
from jobs.sources.errors import CredentialsError, QueryTimeout, QuotaExhausted, SourceError, TransientError
from jobs.sources.salesforce.lookup import in_batches
from jobs.sources.salesforce.session import SalesforceSession
from materializer.snapshot.pulls import HistoricChange

log = structlog.get_logger()
Tracked = Literal["eligibility_status", "verification_status"]
FIELDS = ("AccountId", "Field", "OldValue", "NewValue", "CreatedDate")


def read_history(
    session: SalesforceSession, fields: AccountFields, since: str, accounts: Sequence[str] = ()
) -> tuple[HistoricChange, ...]:
    """Steps of the two status fields stamped from `since` (a SOQL literal) on, oldest first.

    Of `accounts` alone where there are some; then the object is not described first, which saves a call.
    Empty where the org does not track them or does not show AccountHistory. Raises what passes by itself: the next
    run reads the same span again.
    """
    if not accounts and session.describe("AccountHistory") is None:
        return ()
    tracked: dict[str, Tracked] = {
        fields.eligibility_status: "eligibility_status",
        fields.verification_status: "verification_status",
    }
    names = ", ".join(f"'{name}'" for name in tracked)
    wanted = f"Field IN ({names}) AND CreatedDate >= {since}"
    conditions = [f"{wanted} AND AccountId IN ({ids})" for ids in in_batches(accounts)] or [wanted]
    select = f"SELECT Id, {', '.join(FIELDS)} FROM AccountHistory WHERE"  # noqa: S608 - names of the checked mapping
    try:
        pages = [
            page
            for condition in conditions
            for page in session.pages(f"{select} {condition} ORDER BY CreatedDate, Id", "AccountHistory")
        ]
    except (CredentialsError, QuotaExhausted):
        raise
    except SourceError as error:
        if isinstance(error, TransientError) and not isinstance(error, QueryTimeout):
            raise
        (log.debug if accounts else log.warning)("field history is not read", reason=str(error))
        return ()
    steps = [_step(record, tracked) for page in pages for record in page["records"]]
    return tuple(step for step in steps if step is not None)


def _step(record: dict[str, Any], tracked: dict[str, Tracked]) -> HistoricChange | None:
    field = tracked.get(str(record.get("Field")))
    when: datetime | None = instant([record.get("CreatedDate")])[0][0].as_py()
    account_id = if_readable(record.get("AccountId"))
    if field is None or when is None or account_id is None:
        return None
    return HistoricChange(account_id, field, _word(record.get("OldValue")), _word(record.get("NewValue")), when)


def _word(value: object) -> str | None:
    return None if value is None or value == "" else str(value)
