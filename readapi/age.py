"""How old an answer is: per section the oldest reading it rests on, and whether that is beyond the section's limit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from readapi.answers import instant


@dataclass(frozen=True, slots=True)
class FreshnessLimits:
    """How old data may be before it counts as stale: of each source, and of what is read client by client."""

    salesforce: timedelta
    whmcs: timedelta
    pay_methods: timedelta = timedelta(minutes=1560)
    balances: timedelta = timedelta(minutes=1560)


@dataclass(frozen=True, slots=True)
class Read:
    """When the facts of one customer were last read from their source; None: never.

    `billing` is None of all for a customer without a client, whose billing sections say just that the account names
    none: they are as old as the account.
    """

    account: datetime | None
    salesforce: datetime | None
    billing: datetime | None
    pay_methods: datetime | None
    balances: datetime | None
    has_client: bool

    def as_of(self) -> dict[str, datetime | None]:
        """The oldest reading that each section rests on."""
        billing = (self.billing, self.balances or self.billing) if self.has_client else (self.account,)
        summary = _oldest(self.account, self.salesforce, *billing)
        cards = self.pay_methods if self.has_client else self.account
        return {
            "summary": summary,
            "internetEligibility": self.account,
            "residenceCardVerification": self.account,
            "paymentMethods": cards,
            "tasks": _oldest(summary, cards),
        }

    def is_stale(self, limits: FreshnessLimits, now: datetime) -> bool:
        """Whether anything is older than its limit, or a list was never read.

        A number of pay methods that was never read is null in the document: nothing claims to be young.
        """
        lists = [(self.account, limits.salesforce), (self.salesforce, limits.salesforce)]
        single = []
        if self.has_client:
            lists.append((self.billing, limits.whmcs))
            single = [(self.pay_methods, limits.pay_methods), (self.balances, limits.balances)]
        return any(at is None or now - at > limit for at, limit in lists) or any(
            at is not None and now - at > limit for at, limit in single
        )


def headers(as_of: dict[str, datetime | None], *, is_stale: bool) -> list[tuple[str, str]]:
    """Me-Status-Stale, and Me-Status-As-Of where every section was read at some time."""
    named = [("Me-Status-Stale", "true" if is_stale else "false")]
    oldest = _oldest(*as_of.values())
    return named if oldest is None else [("Me-Status-As-Of", instant(oldest)), *named]


def _oldest(*instants: datetime | None) -> datetime | None:
    """None when one of them is."""
    known = [at for at in instants if at is not None]
    return min(known) if len(known) == len(instants) else None
