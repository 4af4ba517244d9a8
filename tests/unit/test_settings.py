"""Settings are read once, and all that is wrong with them is said at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from config import given, settings
from config.database import database_url
from config.errors import SettingsError
from config.settings import GivenSettings, Settings
from jobs import program
from jobs.__main__ import main


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
    """A key that is too short is reported by its length."""
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


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As secret stores mount it; the newline at its end is not part of it."""
    (tmp_path / "secret").write_text("s3cr3t of WHMCS\n")
    (tmp_path / "url").write_text("postgresql://app:pw@db/main\n")
    monkeypatch.setenv("WHMCS_SECRET_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))
    loaded = settings.load()
    assert loaded.whmcs_secret is not None
    assert ("s3cr3t of WHMCS", "postgresql://app:pw@db/main") == (
        loaded.whmcs_secret.get_secret_value(),
        loaded.database_url,
    )


def test_every_secret_has_its_file_name() -> None:
    """Whoever adds a secret setting gets NAME_FILE with it."""
    assert {"WHMCS_ACCESS_KEY", "ME_STATUS_JWT_KEY", "ME_STATUS_OPS_TOKEN", "SALESFORCE_PASSWORD"} <= set(
        settings.from_files()
    )
    assert "WHMCS_URL" not in settings.from_files()


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "cannot be read"), ("\n", "is empty"), ("short", "has 5 bytes")],
    ids=["gone", "empty", "bad"],
)
def test_a_secret_file_at_fault_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, said: str
) -> None:
    """With the setting's name; its content is not repeated."""
    file = tmp_path / "key"
    if text is not None:
        file.write_text(text)
    monkeypatch.setenv("ME_STATUS_JWT_KEY_FILE", str(file))
    with pytest.raises(SettingsError, match=said):
        settings.load()


def test_a_secret_given_twice_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody should have to guess which one counts."""
    (tmp_path / "secret").write_text("one")
    monkeypatch.setenv("WHMCS_SECRET", "two")
    monkeypatch.setenv("WHMCS_SECRET_FILE", str(tmp_path / "secret"))
    with pytest.raises(SettingsError, match="both set; keep one"):
        settings.load()


def test_a_name_that_is_not_a_setting_is_named_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of other programs are passed over."""
    monkeypatch.setenv("ME_STATUS_TIMEZON", "Asia/Tokyo")
    monkeypatch.setenv("WHMCS_SECRETS", "x")
    monkeypatch.setenv("WHMCS_THEME", "six")
    assert [
        "ME_STATUS_TIMEZON is not a setting; did you mean ME_STATUS_TIMEZONE?",
        "WHMCS_SECRETS is not a setting; did you mean WHMCS_SECRET?",
    ] == given.unknown(settings.known_names(), given.everything())


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ME_STATUS_TIMEZONE", "Asia/Tokio", "did you mean Asia/Tokyo?"),
        ("ME_STATUS_LOG_LEVEL", "warn", "did you mean warning?"),
    ],
)
def test_a_misspelt_value_is_named_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    """Where the values are a list of words."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert said in str(caught.value)


def test_config_show_names_the_origin_of_each_value_and_hides_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Environment, .env, file, default; of data files the operator's keys and the packaged ones."""
    (tmp_path / ".env").write_text("ME_STATUS_TIMEZONE=Asia/Tokyo\n")
    (tmp_path / "key").write_text("k" * 40)
    (tmp_path / "schedule.toml").write_text("[limits]\nwindow_rows = 7\n")
    monkeypatch.setenv("ME_STATUS_JWT_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("ME_STATUS_SCHEDULE", "schedule.toml")
    monkeypatch.setenv("DATABASE_URL", "postgresql://app:hunter22@db/main")
    assert 0 == main(["config", "show", "--json"])
    text = capsys.readouterr().out
    shown = json.loads(text)
    assert {"value": "Asia/Tokyo", "from": ".env"} == shown["settings"]["ME_STATUS_TIMEZONE"]
    assert {"value": "[hidden]", "from": str(tmp_path / "key")} == shown["settings"]["ME_STATUS_JWT_KEY"]
    assert {"value": "postgresql://app:[hidden]@db/main", "from": "environment"} == shown["settings"]["DATABASE_URL"]
    assert {"value": None, "from": "default"} == shown["settings"]["WHMCS_URL"]
    values = shown["dataFiles"]["schedule"]["values"]
    assert {"value": 7, "from": "schedule.toml"} == values["limits.window_rows"]
    assert "config/schedule.toml" == values["limits.batch_customers"]["from"]
    assert "hunter22" not in text
    assert "k" * 40 not in text


def test_config_check_exits_2_with_all_faults(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names, values, data files and sources half given, at once; without any, exit 0."""
    assert 0 == main(["config", "check"])
    (tmp_path / "tasks.toml").write_text('[onbording]\ntone = "info"\n')
    monkeypatch.setenv("ME_STATUS_TIMEZON", "Asia/Tokyo")
    monkeypatch.setenv("ME_STATUS_LOG_LEVEL", "loud")
    monkeypatch.setenv("ME_STATUS_TASKS", "tasks.toml")
    monkeypatch.setenv("WHMCS_URL", "https://billing.example")
    capsys.readouterr()
    assert 2 == main(["config", "check", "--json"])
    written = capsys.readouterr()
    assert 5 == len(json.loads(written.out)["faults"])
    for part in ("ME_STATUS_TIMEZONE?", "'loud'", "onboarding?", "WHMCS_IDENTIFIER", "WHMCS_SECRET"):
        assert part in written.err


@pytest.mark.parametrize(
    "secret", ["secret", "whsec_", "whsec_c2hvcnQ=", "whsec_%%%%%%%%%%%%%%%%%%%%%%%%", "sk_" + "A" * 32]
)
def test_a_hook_secret_is_one_of_standard_webhooks(secret: str) -> None:
    """whsec_ and 16 bytes or more in base64; the fault says how to make one and repeats nothing."""
    with pytest.raises(ValidationError) as caught:
        GivenSettings(me_status_hook_secret=secret)
    assert "openssl rand -base64 32" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DATABASE_URL", "postgresql://user:pass/word@db.example/x", "write / as %2F"),
        ("DATABASE_URL", "postgresql://user:pass@word@db.example/x", "@ as %40"),
        ("ME_STATUS_OPS_TOKEN", "abc", "has 3 bytes; a secret needs 32 or more"),
        ("ME_STATUS_JWKS_MAX_AGE_HOURS", "0", "greater than 0"),
        ("ME_STATUS_REQUESTS_PER_MINUTE", "-1", "greater than or equal to 0"),
    ],
)
def test_settings_that_would_let_somebody_in_are_refused(monkeypatch, name, value, said):
    """Each with the remedy, and without the secret it holds."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert said in str(caught.value)
    assert "word" not in str(caught.value).replace("password", "")


@pytest.mark.parametrize(
    ("given_url", "read"),
    [
        ("postgres://app:pw@db/main", "postgresql://app:pw@db/main"),
        ("postgresql+psycopg:///main?host=/run/postgresql", "postgresql:///main?host=/run/postgresql"),
        (
            "postgresql://app:p%2Cw@one:5433,other/main?target_session_attrs=read-write",
            "postgresql://app:p%2Cw@/main?target_session_attrs=read-write&host=one,other&port=5433,5432",
        ),
        ("postgresql://[::1]:5433,127.0.0.1/main", "postgresql:///main?host=::1,127.0.0.1&port=5433,5432"),
    ],
)
def test_a_database_url_may_name_several_hosts(given_url: str, read: str) -> None:
    """As libpq reads them, before the path or as parameters; SQLAlchemy reads parameters only."""
    assert read == database_url(Settings(_env_file=None, database_url=given_url))  # type: ignore[call-arg]


def test_how_far_off_a_token_may_expire(monkeypatch):
    """A day with published keys, as far as it likes with a shared one; a setting decides otherwise, 0 for no bound."""

    def hours(**given: object) -> float | None:
        return Settings(_env_file=None, **given).longest_token_hours

    published = {"me_status_jwks_url": "https://id.example/keys"}
    assert 24 == hours(**published)
    assert hours(me_status_jwt_key="k" * 32) is None
    assert 2 == hours(me_status_token_max_hours=2, me_status_jwt_key="k" * 32)
    assert hours(me_status_token_max_hours=0, **published) is None
