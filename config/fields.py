"""The field mapping: Salesforce field names and status words, as `fields.toml` gives them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from config.datafile import Table, read

ApiName = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")


class AccountFields(Table):
    """API names on Account by what they hold; None: not mapped."""

    eligibility_status: str = ApiName
    verification_status: str = ApiName
    eligibility: str | None = ApiName
    eligibility_requested_at: str | None = ApiName
    eligibility_checked_at: str | None = ApiName
    eligibility_notes: str | None = ApiName
    verification_submitted_at: str | None = ApiName
    verification_reviewed_at: str | None = ApiName
    verification_notes: str | None = ApiName
    whmcs_client_id: str | None = ApiName
    portal_user_id: str | None = Field(default=None, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    language: str | None = Field(default=None, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")


class OrderFields(Table):
    """API names on Order."""

    order_number: str = ApiName
    status: str = ApiName
    activation_status: str = ApiName
    effective_on: str = ApiName
    account_id: str = ApiName


class CaseFields(Table):
    """API names on Case."""

    case_number: str = ApiName
    subject: str = ApiName
    status: str = ApiName
    is_closed: str = ApiName
    created_at: str = ApiName
    closed_at: str = ApiName
    account_id: str = ApiName


class AccountFilter(Table):
    """An Account is a customer when `field` has one of the values `any_of`."""

    field: str = ApiName
    any_of: tuple[str | bool, ...] = Field(min_length=1)


class Link(Table):
    """How a customer's WHMCS client is found."""

    held_by: Literal["account", "client"]
    client_custom_field: int | None = None
    client_field_holds: Literal["account_id", "account_number"] = "account_id"

    @model_validator(mode="after")
    def _client_rule_names_its_field(self) -> Self:
        if self.held_by == "client" and self.client_custom_field is None:
            raise ValueError('held_by = "client" needs client_custom_field, the id of the custom field in WHMCS')
        return self


class EligibilityWords(Table):
    """Source words of each eligibility status; a status left out has none."""

    pending: tuple[str, ...] = ()
    eligible: tuple[str, ...] = ()
    ineligible: tuple[str, ...] = ()


class VerificationWords(Table):
    """Source words of each verification status; a status left out has none."""

    submitted: tuple[str, ...] = ()
    verified: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()


class OrderWords(Table):
    """Source words of an order: draft, approved, closed of its status; activated, failed of its activation status."""

    draft: tuple[str, ...] = ()
    approved: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    activated: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class Words(Table):
    """All status words."""

    eligibility: EligibilityWords
    verification: VerificationWords
    order: OrderWords

    @model_validator(mode="after")
    def _no_word_means_two_things(self) -> Self:
        for group in (self.eligibility, self.verification):
            words = [word for words in group.model_dump().values() for word in words]
            if twice := sorted({word for word in words if words.count(word) > 1}):
                raise ValueError(f"words with two meanings: {', '.join(twice)}")
        return self


class FieldMapping(Table):
    """The whole of `fields.toml`."""

    account: AccountFields
    account_filter: AccountFilter | None = None
    order: OrderFields
    case: CaseFields
    link: Link
    words: Words


def load(overlay: Path | None = None) -> FieldMapping:
    """The packaged mapping with the operator's laid over. Raises SettingsError."""
    return read(FieldMapping, "fields.toml", overlay)
