"""The ways to log in to Salesforce, all by the library, all at the configured host (salesforce-api 2, 8)."""

from __future__ import annotations

import html
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import jwt
import requests
import structlog
from simple_salesforce.exceptions import SalesforceAuthenticationFailed
from simple_salesforce.login import SalesforceLogin

from config import outgoing
from config.outgoing import Guarded
from config.settings import Settings
from jobs.sources.errors import CredentialsError
from jobs.sources.salesforce.answers import refused_login, understood

LAST_SOAP_VERSION = 64.0
"""`login()` is absent from v65 on (salesforce-api 12)."""
log = structlog.get_logger()


class _ToInstance(Guarded):
    """Sends every request to the instance's scheme and host, under the guard of all outgoing requests (H36)."""

    def __init__(self, instance_url: str, seconds: float) -> None:
        self._target = urlsplit(instance_url)
        super().__init__(seconds=seconds)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        asked = urlsplit(str(request.url))
        request.url = urlunsplit((self._target.scheme, self._target.netloc, asked.path, asked.query, ""))
        return super().send(request, *args, **kwargs)


def transport(instance_url: str, seconds: float) -> requests.Session:
    """An HTTP session whose every request goes to the instance, ends in time, and takes no proxy from outside."""
    session = requests.Session()
    outgoing.guard(session, _ToInstance(instance_url, seconds))
    return session


def host(instance_url: str) -> str:
    """Host and port of the instance, as the library wants them."""
    return urlsplit(instance_url).netloc


def log_in(settings: Settings, session: requests.Session) -> str:
    """A session token by the way the settings allow. Raises CredentialsError or TransientError; no secret in either."""
    assert settings.salesforce_instance_url is not None
    if settings.salesforce_flow == "token":
        assert settings.salesforce_access_token is not None
        return settings.salesforce_access_token.get_secret_value()
    try:
        token, _ = SalesforceLogin(session=session, **_arguments(settings, settings.salesforce_instance_url))
    except SalesforceAuthenticationFailed as error:
        raise refused_login(error) from None
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        if isinstance(error, requests.exceptions.RequestException):
            raise understood(error, "login") from None
        raise CredentialsError(_bad_key(settings, error)) from None
    except Exception as error:  # noqa: BLE001 - the library lets almost anything through; all is translated here
        raise understood(error, "login") from None
    if not isinstance(token, str) or not token:
        raise CredentialsError("Salesforce: login: answered without a token; check SALESFORCE_INSTANCE_URL")
    return token


def _arguments(settings: Settings, instance_url: str) -> dict[str, Any]:
    domain = _domain(instance_url)
    version = settings.salesforce_api_version
    if settings.salesforce_flow == "client_credentials":
        assert settings.salesforce_consumer_secret is not None
        secret = settings.salesforce_consumer_secret.get_secret_value()
        return {"consumer_key": settings.salesforce_consumer_key, "consumer_secret": secret, "domain": domain}
    audience = "test" if ".sandbox." in instance_url else "login"
    if settings.salesforce_flow == "jwt":
        return {
            "username": settings.salesforce_username,
            "consumer_key": settings.salesforce_consumer_key,
            "privatekey_file": str(settings.salesforce_private_key_file),
            "instance_url": domain,
            "domain": audience,
        }
    log.warning("Salesforce ends SOAP login in Summer '27; set SALESFORCE_CONSUMER_KEY and SALESFORCE_CONSUMER_SECRET")
    assert settings.salesforce_password is not None
    token = settings.salesforce_security_token
    return {
        "username": settings.salesforce_username,
        "password": settings.salesforce_password.get_secret_value(),
        "security_token": html.escape(token.get_secret_value()) if token else "",
        "sf_version": f"{min(float(version), LAST_SOAP_VERSION):.1f}",
        "domain": audience,
    }


def _domain(instance_url: str) -> str:
    """What the library puts before `.salesforce.com`; for another host any word does, the transport knows the host."""
    name = urlsplit(instance_url).hostname or ""
    return name.removesuffix(".salesforce.com") if name.endswith(".salesforce.com") else "instance.my"


def _bad_key(settings: Settings, error: Exception) -> str:
    if settings.salesforce_flow == "jwt":
        return (
            f"Salesforce: login: {settings.salesforce_private_key_file} is not an RSA private key in PEM form; "
            "check SALESFORCE_PRIVATE_KEY_FILE"
        )
    return f"Salesforce: login: the answer could not be read ({type(error).__name__}); check SALESFORCE_INSTANCE_URL"
