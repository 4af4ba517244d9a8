"""The settings of this process, read once from the environment and `.env`; all faults are reported at once."""

from __future__ import annotations

import base64
import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, available_timezones

import platformdirs
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config import event_channels, given
from config.errors import SettingsError
from config.nearest import did_you_mean
from config.wording import Language

LOG_LEVELS = ("debug", "info", "warning", "error")

SHORTEST_HOOK_KEY = 16
"""Bytes."""


def _empty_is_unset(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


Text = Annotated[str | None, BeforeValidator(_empty_is_unset)]
Secret = Annotated[SecretStr | None, BeforeValidator(_empty_is_unset)]
File = Annotated[Path | None, BeforeValidator(_empty_is_unset)]


SHORTEST_SECRET = 32
"""Bytes of the secrets we hand out ourselves: what HS256 asks for (RFC 7518, section 3.2), and nobody guesses."""
LONGEST_TOKEN_HOURS = 24.0


class Settings(BaseSettings):
    """Every setting of the contract, frozen. Field names are the environment names in lower case."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True)

    database_url: Text = None
    me_status_home: Path = Field(default_factory=lambda: platformdirs.user_data_path("me-status"))
    me_status_timezone: str = "UTC"

    salesforce_instance_url: Text = None
    salesforce_access_token: Secret = None
    salesforce_consumer_key: Text = None
    salesforce_consumer_secret: Secret = None
    salesforce_username: Text = None
    salesforce_private_key_file: File = None
    salesforce_password: Secret = None
    salesforce_security_token: Secret = None
    salesforce_api_version: str = Field(default="62.0", pattern=r"^\d{2,3}\.0$")
    salesforce_event_channels: Text = None
    salesforce_event_endpoint: str = Field(default="api.pubsub.salesforce.com:7443", pattern=r"^[\w.-]+:\d{1,5}$")
    salesforce_event_ca_file: File = None

    whmcs_url: Text = None
    whmcs_identifier: Text = None
    whmcs_secret: Secret = None
    whmcs_access_key: Secret = None
    whmcs_timezone: Text = None

    me_status_fields: File = None
    me_status_notifications: File = None
    me_status_tasks: File = None
    me_status_schedule: File = None
    me_status_language: Language = "en"

    me_status_jwt_key: Secret = None
    me_status_jwks_url: Text = None
    me_status_jwt_issuer: Text = None
    me_status_jwt_audience: Text = None
    me_status_jwks_max_age_hours: float = Field(default=24, gt=0)
    me_status_token_max_hours: float | None = Field(default=None, ge=0)
    me_status_requests_per_minute: int = Field(default=1200, ge=0)
    me_status_ops_token: Secret = None
    me_status_hook_secret: Secret = None
    me_status_cors_origins: Text = None
    me_status_executor: str = "threads"
    me_status_log_level: str = "info"
    me_status_alert_url: Text = None
    me_status_alert_secret: Secret = None
    me_status_ops_act_token: Secret = None

    @field_validator("me_status_timezone", "whmcs_timezone")
    @classmethod
    def _is_a_zone(cls, value: str | None) -> str | None:
        if value is not None and not _is_known_zone(value):
            hint = did_you_mean(value, available_timezones()) or "; write one like Asia/Tokyo"
            raise ValueError(f"{value!r} is not an IANA time zone{hint}")
        return value

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).scheme not in ("postgresql", "postgres", "postgresql+psycopg"):
            raise ValueError(
                "is not a postgresql:// URL; write postgresql://user@host/database, or unset it for the embedded server"
            )
        if value is not None and not _is_well_formed(value):
            raise ValueError(
                "cannot be read as a URL; in a password, write / as %2F, @ as %40, : as %3A, # as %23, ? as %3F"
            )
        return value

    @field_validator("salesforce_instance_url", "whmcs_url", "me_status_jwks_url", "me_status_alert_url")
    @classmethod
    def _is_https_or_loopback(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{value!r} is not a URL; write https://host")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise ValueError(
                f"http:// is for loopback hosts only, not {parts.hostname!r}; write https://{parts.hostname}"
            )
        return value.rstrip("/")

    @field_validator("salesforce_event_channels")
    @classmethod
    def _are_channels(cls, value: str | None) -> str | None:
        event_channels.read(value)
        return value

    @field_validator("me_status_executor")
    @classmethod
    def _is_an_executor(cls, value: str) -> str:
        if not re.fullmatch(r"threads|processes|dask://[^\s/:]+:\d+", value):
            raise ValueError(f"{value!r} is not an executor; write threads, processes or dask://HOST:PORT")
        return value

    @field_validator("me_status_log_level")
    @classmethod
    def _is_a_level(cls, value: str) -> str:
        if value.lower() not in LOG_LEVELS:
            hint = did_you_mean(value.lower(), LOG_LEVELS)
            raise ValueError(f"{value!r} is not a level; write {', '.join(LOG_LEVELS)}{hint}")
        return value.lower()

    @field_validator("me_status_cors_origins")
    @classmethod
    def _are_origins(cls, value: str | None) -> str | None:
        for origin in _origins(value):
            if not re.fullmatch(r"https?://[a-z0-9.-]+(:\d+)?|https?://\[[0-9a-f:]+\](:\d+)?", origin):
                raise ValueError(f"{origin!r} is not an origin; write https://portal.example, several with commas")
        return value

    @field_validator("me_status_jwt_key", "me_status_ops_token", "me_status_ops_act_token")
    @classmethod
    def _is_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        size = SHORTEST_SECRET if value is None else len(value.get_secret_value().encode())
        if size < SHORTEST_SECRET:
            raise ValueError(f"has {size} bytes; a secret needs {SHORTEST_SECRET} or more (openssl rand -hex 32)")
        return value

    @field_validator("me_status_hook_secret", "me_status_alert_secret")
    @classmethod
    def _is_a_webhook_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(_webhook_key(value.get_secret_value())) < SHORTEST_HOOK_KEY:
            raise ValueError(
                f"is not whsec_ with {SHORTEST_HOOK_KEY} bytes or more in base64; "
                'make one with `echo "whsec_$(openssl rand -base64 32)"`'
            )
        return value

    @model_validator(mode="after")
    def _alerts_are_signed(self) -> Self:
        if self.me_status_alert_url is not None and self.me_status_alert_secret is None:
            raise ValueError("ME_STATUS_ALERT_URL needs ME_STATUS_ALERT_SECRET, with which alerts are signed")
        if self.me_status_ops_act_token is not None and self.me_status_ops_token is None:
            raise ValueError("ME_STATUS_OPS_ACT_TOKEN needs ME_STATUS_OPS_TOKEN: who acts must be able to read")
        return self

    @model_validator(mode="after")
    def _one_way_to_verify_tokens(self) -> Self:
        if self.me_status_jwt_key is not None and self.me_status_jwks_url is not None:
            raise ValueError("ME_STATUS_JWKS_URL and ME_STATUS_JWT_KEY are both set; keep one")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The business time zone."""
        return ZoneInfo(self.me_status_timezone)

    @property
    def whmcs_zone(self) -> ZoneInfo:
        """The zone of the WHMCS server's dates."""
        return ZoneInfo(self.whmcs_timezone or self.me_status_timezone)

    @property
    def cors_origins(self) -> tuple[str, ...]:
        """The origins whose pages may read the API."""
        return _origins(self.me_status_cors_origins)

    @property
    def longest_token_hours(self) -> float | None:
        """How far off a token's `exp` may be; None: as far as it likes, or absent.

        ME_STATUS_TOKEN_MAX_HOURS, 0 standing for None; by default a day with published keys, None with a shared one.
        """
        if self.me_status_token_max_hours is None:
            return LONGEST_TOKEN_HOURS if self.me_status_jwks_url else None
        return self.me_status_token_max_hours or None

    @property
    def event_channels(self) -> tuple[event_channels.EventChannel, ...]:
        """The channels of Salesforce events to listen to; none where SALESFORCE_EVENT_CHANNELS is unset."""
        return event_channels.read(self.salesforce_event_channels)

    @property
    def salesforce_flow(self) -> Literal["token", "client_credentials", "jwt", "soap"] | None:
        """The way to log in that the settings allow, first match; None when they allow none."""
        if self.salesforce_access_token:
            return "token"
        if self.salesforce_consumer_key and self.salesforce_consumer_secret:
            return "client_credentials"
        if self.salesforce_consumer_key and self.salesforce_username and self.salesforce_private_key_file:
            return "jwt"
        if self.salesforce_username and self.salesforce_password:
            return "soap"
        return None

    def require(self, *purposes: Literal["salesforce", "whmcs", "tokens"]) -> None:
        """Checks that what the purposes need is set. Raises SettingsError naming everything missing."""
        faults: list[str] = []
        if "salesforce" in purposes:
            faults += self._missing_for_salesforce()
        if "whmcs" in purposes:
            faults += [
                f"{name.upper()} is not set; {why}"
                for name, why in (
                    ("whmcs_url", "give the base URL of the WHMCS installation"),
                    ("whmcs_identifier", "give the identifier of an API credential pair"),
                    ("whmcs_secret", "give the secret of the API credential pair"),
                )
                if getattr(self, name) is None
            ]
        if "tokens" in purposes and self.me_status_jwt_key is None and self.me_status_jwks_url is None:
            faults.append(
                "ME_STATUS_JWT_KEY or ME_STATUS_JWKS_URL is not set; the API cannot verify tokens without one"
            )
        if faults:
            raise SettingsError(faults)

    def _missing_for_salesforce(self) -> list[str]:
        faults = []
        if self.salesforce_instance_url is None:
            faults.append("SALESFORCE_INSTANCE_URL is not set; give https://<my domain>.my.salesforce.com")
        if self.salesforce_flow is None:
            faults.append(
                "Salesforce credentials are not set; give SALESFORCE_CONSUMER_KEY and SALESFORCE_CONSUMER_SECRET "
                "(or the private key file, a username and password, or SALESFORCE_ACCESS_TOKEN)"
            )
        if self.salesforce_private_key_file is not None and not self.salesforce_private_key_file.is_file():
            faults.append(f"SALESFORCE_PRIVATE_KEY_FILE: no file at {self.salesforce_private_key_file}")
        return faults


def _origins(value: str | None) -> tuple[str, ...]:
    return tuple(origin.strip() for origin in (value or "").split(",") if origin.strip())


class GivenSettings(Settings):
    """Settings given as arguments alone: neither the environment nor `.env` is read."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


class _Home(BaseSettings):
    model_config = Settings.model_config
    me_status_home: Path = Field(default_factory=lambda: platformdirs.user_data_path("me-status"))


def load_home() -> Path:
    """ME_STATUS_HOME and nothing else: for the demo, which must not read the operator's other settings."""
    return _Home().me_status_home


def _webhook_key(secret: str) -> bytes:
    """The key in a secret of Standard Webhooks; empty when it is not one."""
    is_one = re.fullmatch(r"whsec_[A-Za-z0-9+/]+={0,2}", secret)
    try:
        return base64.b64decode(secret.removeprefix("whsec_") + "==") if is_one else b""
    except ValueError:
        return b""


def _is_known_zone(name: str) -> bool:
    """Whether there is such a zone. Listing them all reads six hundred files, which a start can do without."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def named_hosts(url: str) -> list[SplitResult]:
    """The hosts before a path, of which libpq allows several. A port that is not a number raises when asked for."""
    hosts = urlsplit(url).netloc.rpartition("@")[2]
    return [urlsplit(f"//{host}") for host in hosts.split(",")]


def _is_well_formed(url: str) -> bool:
    """Whether its parts are where they belong: a raw / in a password would make the rest of it the path."""
    try:
        parts = urlsplit(url)
        _ = [host.port for host in named_hosts(url)]
    except ValueError:
        return False
    return "@" not in parts.path + parts.fragment and parts.netloc.count("@") <= 1


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load() -> Settings:
    """The settings of this process. Raises SettingsError with one sentence per fault; no secret is repeated in it."""
    loaded, faults = read()
    if faults:
        raise SettingsError(list(faults.values()))
    return loaded


def read() -> tuple[Settings, dict[str, str]]:
    """The settings of this process and a sentence by name for each at fault; those count as unset in the settings.

    Faults are given rather than raised, so that a command can name what it misses along with them.
    """
    files, sentences = given.from_files(from_files(), given.everything())
    values = {name.lower(): found.value for name, found in files.items()}
    faults = {name.lower(): sentence for name, sentence in sentences.items()}
    while True:
        unset = {name: _default(name) for name in faults}
        try:
            return Settings(**(values | unset)), {name.upper(): sentence for name, sentence in faults.items()}
        except ValidationError as error:
            faults |= dict(_fault(fault["loc"], fault["msg"]) for fault in error.errors())


def from_files() -> list[str]:
    """The settings that NAME_FILE may give: the secrets, and DATABASE_URL, which may hold a password."""
    fields = Settings.model_fields.items()
    return ["DATABASE_URL", *(name.upper() for name, field in fields if SecretStr in get_args(field.annotation))]


def known_names() -> list[str]:
    """Every name that the environment may give."""
    return [*(name.upper() for name in Settings.model_fields), *(f"{name}_FILE" for name in from_files())]


def _default(name: str) -> Any:
    return Settings.model_fields[name].get_default(call_default_factory=True)


def _fault(location: tuple[int | str, ...], message: str) -> tuple[str, str]:
    """The setting at fault and the sentence; what two settings together do wrong is said of the one named first."""
    message = message.removeprefix("Value error, ")
    name = str(location[0] if location else message.split(" ")[0]).lower()
    return name, f"{name.upper()}: {message}" if location else message
