"""The copy: every language says everything, with the same names, and the operator's words go over it."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest

from config import notifications, tables, wording
from config.errors import SettingsError
from config.settings import GivenSettings
from config.wording import LANGUAGES, OFFERED, language_of, names_in_braces
from materializer.rules.prose import money

SEED_TITLES = {
    "ELIGIBILITY_ELIGIBLE": "Good news! Internet service is available",
    "ELIGIBILITY_INELIGIBLE": "Internet service not available",
    "VERIFICATION_VERIFIED": "ID verification complete",
    "VERIFICATION_REJECTED": "ID verification requires attention",
    "ORDER_APPROVED": "Order approved",
    "ORDER_ACTIVATED": "Service activated",
    "ORDER_FAILED": "Order requires attention",
    "CANCELLATION_SCHEDULED": "Cancellation scheduled",
    "CANCELLATION_COMPLETE": "Service cancelled",
    "PAYMENT_METHOD_EXPIRING": "Payment method expiring soon",
    "INVOICE_DUE": "Invoice due",
    "SYSTEM_ANNOUNCEMENT": "System announcement",
}


def texts(table: dict[str, Any], place: str = "") -> dict[str, str]:
    """Every text of a copy by its place."""
    found: dict[str, str] = {}
    for name, value in table.items():
        found |= texts(value, f"{place}{name}.") if isinstance(value, dict) else {place + name: value}
    return found


def packaged(language: str) -> dict[str, str]:
    return texts(tomllib.loads(files("config").joinpath("copy", f"{language}.toml").read_text("utf-8")))


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_each_language_says_what_english_says(language: str) -> None:
    """The same texts, each with the same names in braces, and none left in English."""
    english, other = packaged("en"), packaged(language)
    assert english.keys() == other.keys()
    for place, text in english.items():
        assert names_in_braces(text) == names_in_braces(other[place]), place
        assert text != other[place] or text == "{message}", place


def test_english_titles_are_those_of_the_seed() -> None:
    """All twelve."""
    assert SEED_TITLES == {kind: wording.packaged("en").notifications[kind].title for kind in OFFERED}


@pytest.mark.parametrize(
    ("expected", "value"),
    [("ja", "ja"), ("ja", "ja_JP"), ("ja", " Japanese"), ("en", "EN-us"), (None, "fr"), (None, ""), (None, None)],
)
def test_a_language_is_what_the_value_begins_with(expected: str | None, value: str | None) -> None:
    """Case and blanks aside; another language is none."""
    assert expected == language_of(value)


@pytest.mark.parametrize(
    ("expected", "amount", "currency"),
    [
        ("¥3,300", "3300.00", "JPY"),
        ("¥3,300.50", "3300.50", "JPY"),
        ("-¥5", "-5", "JPY"),
        ("$1,234.50", "1234.5", "USD"),
        ("1,234.50", "1234.50", None),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_money_loses_no_digit(language: wording.Language, expected: str, amount: str, currency: str | None) -> None:
    """Digits that the currency does not have are kept where they are not zero."""
    assert expected == money(Decimal(amount), currency, language)


def test_the_operators_words_go_over_the_packaged_ones(tmp_path: Any) -> None:
    """Without a language those of the default one; by language those of it; the rest stays."""
    file = tmp_path / "notifications.toml"
    file.write_text(
        '[types.INVOICE_DUE]\ntitle = "Bill"\nvariants.overdue = "Late: {amount}"\n'
        '[types.INVOICE_DUE.ja]\ntitle = "請求"\n'
    )
    words = tables.load(GivenSettings(me_status_notifications=file)).wording
    english, japanese = (words.of(language).notifications["INVOICE_DUE"] for language in ("en", "ja"))
    assert ("Bill", "Late: {amount}", "請求") == (english.title, english.variants["overdue"], japanese.title)
    assert wording.packaged("en").notifications["INVOICE_DUE"].message == english.message
    other = tables.load(GivenSettings(me_status_notifications=file, me_status_language="ja")).wording
    assert wording.packaged("en").notifications["INVOICE_DUE"] == other.of("en").notifications["INVOICE_DUE"]


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        ("message: {amount} is not offered", 'message = "{amount}"'),
        ("variants.past is not a variant of it", 'variants.past = "gone"'),
        ("action_url: {invoice_id} is not offered", 'action_url = "/pay/{invoice_id}"'),
    ],
)
def test_a_name_or_variant_that_there_is_not_is_a_fault(expected: str, given: str, tmp_path: Any) -> None:
    """Said at start-up with its place, not found out when the notification is worded."""
    file = tmp_path / "notifications.toml"
    file.write_text(f"[types.ORDER_FAILED]\n{given}\n")
    with pytest.raises(SettingsError, match="ORDER_FAILED"):
        notifications.load(file)
    with pytest.raises(SettingsError) as raised:
        notifications.load(file)
    assert expected in str(raised.value)
