"""The data files: the packaged ones are sound, and a faulty replacement is told by file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import fields, notifications, schedule, tables, tasks
from config.errors import SettingsError
from config.settings import Settings


def test_the_packaged_files_are_sound() -> None:
    """They load, with the contract's twelve types, windows and words."""
    rules = notifications.load()
    assert 12 == len(rules.types)
    assert (1, 24) == (rules.types["ORDER_FAILED"].window_hours, rules.types["INVOICE_DUE"].window_hours)
    assert "WHMCS_Client_Id__c" == fields.load().account.whmcs_client_id
    assert {"sync-salesforce", "sync-whmcs", "refresh", "prune"} == set(schedule.load().jobs)
    assert tasks.load().onboarding.title


def test_the_faults_of_all_files_are_named_together(tmp_path: Path) -> None:
    """Each with its file."""
    (tmp_path / "fields.toml").write_text("x = 1\n")
    (tmp_path / "tasks.toml").write_text("not toml at all\n")
    settings = Settings(
        _env_file=None, me_status_fields=tmp_path / "fields.toml", me_status_tasks=tmp_path / "tasks.toml"
    )  # type: ignore[call-arg]
    with pytest.raises(SettingsError) as caught:
        tables.load(settings)
    assert "fields.toml: x:" in str(caught.value)
    assert "tasks.toml: is not TOML" in str(caught.value)


def test_a_missing_file_is_named() -> None:
    """With what to give instead."""
    with pytest.raises(SettingsError, match=r"nowhere\.toml: cannot be read"):
        schedule.load(Path("nowhere.toml"))


def test_a_name_in_braces_that_is_not_offered_is_refused(tmp_path: Path) -> None:
    """A misspelt {name} must not reach a customer."""
    packaged = Path(notifications.__file__).with_name("notifications.toml").read_text(encoding="utf-8")
    replaced = tmp_path / "notifications.toml"
    replaced.write_text(packaged.replace("{order_number}", "{ordernumber}"), encoding="utf-8")
    with pytest.raises(SettingsError, match="ordernumber"):
        notifications.load(replaced)
