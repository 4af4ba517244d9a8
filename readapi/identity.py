"""Who is asking: from a request's Authorization header to the one customer it may see. There is no other door."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import TypeVar

from config import salesforce_id
from readapi.problems import Problem, not_found, unavailable
from readapi.statements import Statements
from readapi.tokens import Tokens

Answered = TypeVar("Answered")
FIRST_RUN_SECONDS = 60
PORTAL_USER = "api/find_accounts_of_portal_user"


class Identity:
    """The door. `portal_users` is true when the mapping names an Account field for the portal's user id."""

    def __init__(self, tokens: Tokens, statements: Statements, *, portal_users: bool) -> None:
        self._tokens = tokens
        self._statements = statements
        self.portal_users = portal_users

    def own(self, authorization: str | None, read: Callable[[str], Answered | None]) -> Answered:
        """What `read` finds for the caller's own customer; `read` gives None for an id that is not a customer.

        Raises Problem: 401 without a good token, 404 when the subject is not a customer, 409 when it is a portal user
        that several accounts claim, 503 before the first run or without a database.
        """
        for customer_id in self._customers(self._tokens.subject(authorization)):
            answered = read(customer_id)
            if answered is not None:
                return answered
        raise self._nobody()

    def customer(self, authorization: str | None, *, writes: bool = False) -> str:
        """The caller's own customer id, of a customer that has a document.

        Raises Problem as `own` does, and 403 when the caller would change something with a token that only reads.
        """
        if writes:
            self._tokens.require_write(authorization)
        return self.own(authorization, self._with_document)

    def account(self, authorization: str | None) -> str:
        """The account that the caller is: its customer's, or one that no pull has seen yet.

        Raises Problem: 401 without a good token, 403 with one that reads only, 404 when the subject cannot be an
        account, 503 without a database.
        """
        self._tokens.require_write(authorization)
        subject = self._tokens.subject(authorization)
        customers = list(self._customers(subject))
        for customer_id in customers:
            if self._with_document(customer_id):
                return customer_id
        unknown = None if self.portal_users else salesforce_id.completed(subject)
        account_id = customers[-1] if customers else unknown
        if account_id is None or not salesforce_id.may_be_account(account_id):
            raise not_found("The token's subject cannot be an account.", kind="no-account")
        return account_id

    def _customers(self, subject: str) -> Iterator[str]:
        """The customer a subject means, then the one that customer was merged into. One namespace: ids of accounts, or,
        where the mapping names a field for them, of portal users."""
        if self.portal_users:
            yield from self._of_portal_user(subject)
        elif account_id := salesforce_id.completed(subject):
            yield account_id
            if redirected := self._statements.one("api/find_merged_account", account_id=account_id):
                yield redirected[0]

    def _of_portal_user(self, subject: str) -> Iterator[str]:
        """The account that holds the portal user's id. Raises Problem (409) when several do: nobody may guess which."""
        if not subject.isprintable():  # PostgreSQL has no text with a zero or half a surrogate
            return
        found = self._statements.all(PORTAL_USER, subject=subject)
        if len(found) > 1:
            raise Problem(
                HTTPStatus.CONFLICT,
                "portal-id-conflict",
                "Several Salesforce accounts hold this portal user's id; whoever keeps them has to leave it with one.",
            )
        yield from (account_id for (account_id,) in found)

    def _with_document(self, customer_id: str) -> str | None:
        found = self._statements.one("api/find_customer", customer_id=customer_id)
        return found[0] if found else None

    def _nobody(self) -> Problem:
        ran = self._statements.one("ledger/read_first_run")
        if ran is None or not ran[0]:
            return unavailable(
                "no-run-yet", "No run has computed any document yet; ask again soon.", retry_after=FIRST_RUN_SECONDS
            )
        return not_found("The token's subject is not a customer.", kind="no-customer")
