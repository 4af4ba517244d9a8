"""What a client's details say of its account (whmcs-api 7.2; custom fields are known by id only, Q25)."""

from __future__ import annotations

from typing import Any

from config.fields import Link
from config.salesforce_id import normalised
from jobs.sources.columns import bare_text, loose_integer
from jobs.sources.whmcs.answers import listed


def reference_of(details: dict[str, Any], link: Link) -> str | None:
    """The Account id (18 characters) or number in the configured custom field; None when it holds neither."""
    client = details.get("client")
    holder = client if isinstance(client, dict) and "customfields" in client else details
    for entry in listed(holder, "customfields", "customfield") or []:
        if loose_integer(entry.get("id")) == link.client_custom_field:
            return _reference(bare_text(entry.get("value")), link)
    return None


def _reference(value: str | None, link: Link) -> str | None:
    if link.client_field_holds == "account_number":
        return value
    try:
        return normalised(value)
    except ValueError:
        return None
