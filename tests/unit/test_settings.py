"""Settings are read once, and all that is wrong with them is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import settings
from config.errors import SettingsError
from config.settings import Settings
from jobs import program


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_all_faults_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with the setting's name."""
    monkeypatch.setenv("ME_STATUS_TIMEZONE", "Asia/Tokio")
    monkeypatch.setenv("WHMCS_URL", "http://billing.example")
    monkeypatch.setenv("DATABASE_URL", "mysql://x")
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert 3 == len(caught.value.faults)
    for name in ("ME_STATUS_TIMEZONE", "WHMCS_URL", "DATABASE_URL"):
        assert name in str(caught.value)


def test_no_secret_is_repeated_in_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is too short is told by its length."""
    monkeypatch.setenv("ME_STATUS_JWT_KEY", "short-and-secret")
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert "short-and-secret" not in str(caught.value)
    assert "16 bytes" in str(caught.value)


def test_everything_a_job_needs_is_named_at_once() -> None:
    """Both sources' missing settings come in one error."""
    with pytest.raises(SettingsError) as caught:
        settings.load().require("salesforce", "whmcs")
    assert 5 == len(caught.value.faults)


def test_an_empty_value_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with no line at all."""
    monkeypatch.setenv("DATABASE_URL", " ")
    assert settings.load().database_url is None


def test_a_dotenv_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file stands in the working directory."""
    (tmp_path / ".env").write_text("ME_STATUS_TIMEZONE=Asia/Tokyo\nWHMCS_TIMEZONE=Asia/Seoul\n")
    monkeypatch.setenv("WHMCS_TIMEZONE", "Asia/Taipei")
    loaded = settings.load()
    assert ("Asia/Tokyo", "Asia/Taipei") == (loaded.zone.key, loaded.whmcs_zone.key)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:9", "https://x.example"])
def test_plain_http_is_for_loopback_only(url: str) -> None:
    """Stand-ins on this machine may do without TLS."""
    assert url == Settings(_env_file=None, whmcs_url=url).whmcs_url  # type: ignore[call-arg]


def test_what_is_wrong_and_what_is_missing_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting at fault hides neither the other faults nor what a sync misses, and is named once."""
    monkeypatch.setenv("ME_STATUS_TIMEZONE", "Tokyo")
    monkeypatch.setenv("WHMCS_URL", "http://billing.example")
    monkeypatch.setenv("WHMCS_IDENTIFIER", "one")

    with pytest.raises(SettingsError) as raised:
        program.load("sync-whmcs")

    assert ["ME_STATUS_TIMEZONE:", "WHMCS_SECRET", "WHMCS_URL:"] == sorted(
        fault.split(" ")[0] for fault in raised.value.faults
    )
