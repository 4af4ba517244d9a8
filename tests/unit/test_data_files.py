"""The data files: the packaged ones are sound, and a faulty replacement is reported by file and key."""

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
    assert "neutral" == tasks.load().onboarding.tone


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
    replaced = tmp_path / "notifications.toml"
    replaced.write_text('[types.ORDER_FAILED]\nmessage = "Order {ordernumber} failed."\n', encoding="utf-8")
    with pytest.raises(SettingsError, match="ordernumber"):
        notifications.load(replaced)


def overlay(folder: Path, name: str, text: str) -> Path:
    file = folder / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_what_an_overlay_leaves_out_stays(tmp_path: Path) -> None:
    """One key of one table is enough; every other value is the packaged one."""
    given, packaged = schedule.load(overlay(tmp_path, "s", "[limits]\nwindow_rows = 7\n")), schedule.load()
    assert 7 == given.limits.window_rows
    assert packaged == given.model_copy(update={"limits": packaged.limits})


def test_a_list_and_a_table_of_words_are_replaced_whole(tmp_path: Path) -> None:
    """Words of another status of the table are gone, those of other tables stay."""
    words = fields.load(overlay(tmp_path, "f", '[words.eligibility]\neligible = ["Serviceable"]\n')).words
    assert (("Serviceable",), (), ()) == (
        words.eligibility.eligible,
        words.eligibility.pending,
        words.eligibility.ineligible,
    )
    assert fields.load().words.order == words.order


def test_a_job_takes_another_kind_of_timing_or_none(tmp_path: Path) -> None:
    """`cron` in place of `every`; `off` takes a job out of the schedule."""
    jobs = schedule.load(
        overlay(tmp_path, "s", '[jobs.refresh]\ncron = "*/2 * * * *"\n[jobs.prune]\noff = true\n')
    ).jobs
    assert ("*/2 * * * *", None) == (jobs["refresh"].cron, jobs["refresh"].every)
    assert "prune" not in jobs


@pytest.mark.parametrize(
    ("load", "text", "said"),
    [
        (
            schedule.load,
            "[limits]\nwindow_row = 7\n",
            "limits.window_row: is not a key of it; did you mean window_rows?",
        ),
        (schedule.load, "[jobs.refres]\nevery = 1\n", "did you mean refresh?"),
        (fields.load, '[acount]\neligibility = "X"\n', "acount: is not a key of it; did you mean account?"),
        (notifications.load, '[types.INVOICE_DUE]\ntitel = "X"\n', "did you mean title?"),
        (tasks.load, '[onboarding]\nton = "info"\n', "did you mean tone?"),
    ],
)
def test_a_misspelt_key_is_named_with_the_nearest_known_one(tmp_path: Path, load, text: str, said: str) -> None:  # type: ignore[no-untyped-def]
    """Whatever the depth."""
    with pytest.raises(SettingsError) as caught:
        load(overlay(tmp_path, "x", text))
    assert said in str(caught.value)
