"""`token`: a customer's token for trying the API; in production the portal's own backend mints them."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime

import jwt

from config.errors import SettingsError
from config.settings import Settings
from jobs.commands.rebuild import account_id
from jobs.program import SUCCESS, Program, answer, say
from jobs.text import written

MINUTES = 60
READ_ONLY = "me:read"


def command(program: Program, arguments: argparse.Namespace) -> int:
    """Prints the token. Raises SettingsError (exit 2) where tokens are verified with an issuer's published keys."""
    expires_at = int(time.time()) + arguments.minutes * 60
    token = signed(program.settings, account_id(arguments.customer), expires_at, is_read_only=arguments.read_only)
    if arguments.json:
        answer({"token": token, "expiresAt": written(datetime.fromtimestamp(expires_at, UTC))})
    else:
        say(token)
    return SUCCESS


def signed(settings: Settings, subject: str, expires_at: int, *, is_read_only: bool = False) -> str:
    """A token of that subject until then (seconds since 1970). Raises SettingsError without a shared key."""
    if settings.me_status_jwks_url is not None:
        raise SettingsError(
            ["ME_STATUS_JWKS_URL: tokens are verified with the issuer's published keys, so only the issuer signs them"]
        )
    if settings.me_status_jwt_key is None:
        raise SettingsError(["ME_STATUS_JWT_KEY is not set; it signs and verifies tokens (openssl rand -hex 32)"])
    named = {"iss": settings.me_status_jwt_issuer, "aud": settings.me_status_jwt_audience}
    claims = {"sub": subject, "iat": int(time.time()), "exp": expires_at} | {k: v for k, v in named.items() if v}
    if is_read_only:
        claims["scope"] = READ_ONLY
    return jwt.encode(claims, settings.me_status_jwt_key.get_secret_value(), algorithm="HS256")
