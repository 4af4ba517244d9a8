"""The ways into the stand-in's org: OAuth token endpoint and SOAP login (salesforce-api 2.1, 2.2)."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import jwt

from jobs.sandbox.salesforce.access import User
from jobs.sandbox.salesforce.answers import Reply, json_answer
from jobs.sandbox.salesforce.org import SalesforceOrg
from jobs.sandbox.salesforce.records import ORGANIZATION_ID

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
OLDEST_VERSION = 31
LAST_SOAP_LOGIN = 64
INVALID_LOGIN = "Invalid username, password, security token; or user locked out."
LOGIN_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")


class LoginError(Exception):
    """A refused login: an OAuth `error` or SOAP exception code, and its text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def token_answer(org: SalesforceOrg, form: dict[str, str], authorization: str, home: str, label: str) -> Reply:
    """POST /services/oauth2/token. `home` is the stand-in as the client addressed it, such as http://127.0.0.1:8123."""
    fault = org.faults.take(label, "invalid_login")
    try:
        if fault is not None:
            raise _on_demand(fault.arguments, "invalid_grant", "authentication failure")
        user, more = _granted(org, form, authorization, home)
        _let_in(org, user)
    except LoginError as error:
        return json_answer({"error": error.code, "error_description": error.message}, 400)
    answer = {
        "access_token": org.open_session(user.username),
        "instance_url": home,
        "id": f"https://login.salesforce.com/id/{ORGANIZATION_ID}/{user.user_id}",
        "token_type": "Bearer",
        "issued_at": str(int(org.clock.now().timestamp() * 1000)),
        "signature": "ZGVtbw==",
        "scope": "api",
    }
    return json_answer(answer | more)


def soap_answer(org: SalesforceOrg, version: str, body: bytes, home: str, label: str) -> Reply:
    """POST /services/Soap/u/{version}: login(), which versions from 65 on do not have (salesforce-api 12)."""
    fault = org.faults.take(label, "invalid_login")
    try:
        if fault is not None:
            raise _on_demand(fault.arguments, "INVALID_LOGIN", INVALID_LOGIN)
        _check_soap_version(version)
        user = _soap_user(org, body)
    except LoginError as error:
        return _soap_fault(error)
    token = org.open_session(user.username)
    server = f"{home}/services/Soap/u/{version}/{ORGANIZATION_ID[:15]}"
    return Reply(200, _SOAP_SUCCESS.format(server=escape(server), token=token, user=user.user_id).encode(), "text/xml")


def _on_demand(arguments: dict[str, Any], code: str, message: str) -> LoginError:
    return LoginError(arguments.get("code", code), arguments.get("message", message))


def _granted(org: SalesforceOrg, form: dict[str, str], authorization: str, home: str) -> tuple[User, dict[str, str]]:
    match form.get("grant_type"):
        case "client_credentials":
            _check_client(org, *_client(form, authorization))
            return org.users[org.username], {}
        case "password":
            _check_client(org, *_client(form, authorization))
            return _password_user(org, form.get("username", ""), form.get("password", ""), "invalid_grant"), {}
        case "refresh_token":
            _check_client(org, *_client(form, authorization))
            return _refreshed(org, form.get("refresh_token", ""))
        case grant if grant == JWT_GRANT:
            return _asserted(org, form.get("assertion", ""), home), {}
    raise LoginError("unsupported_grant_type", "grant type not supported")


def _client(form: dict[str, str], authorization: str) -> tuple[str, str]:
    """Consumer key and secret, from the Basic header or from the form."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        key, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise LoginError("invalid_client", "invalid client credentials") from None
    return key, secret


def _check_client(org: SalesforceOrg, key: str, secret: str) -> None:
    if key != org.consumer_key:
        raise LoginError("invalid_client_id", "client identifier invalid")
    if secret != org.consumer_secret:
        raise LoginError("invalid_client", "invalid client credentials")


def _refreshed(org: SalesforceOrg, token: str) -> tuple[User, dict[str, str]]:
    """A refresh token's user; under rotation the token is spent and the answer carries its successor (H47)."""
    username = org.refresh_tokens.get(token)
    if username is None:
        raise LoginError("invalid_grant", "expired access/refresh token")
    if not org.rotates_refresh_tokens:
        return org.users[username], {}
    del org.refresh_tokens[token]
    return org.users[username], {"refresh_token": org.issue_refresh_token(username)}


def _asserted(org: SalesforceOrg, assertion: str, home: str) -> User:
    """The user a JWT bearer assertion speaks for.

    `exp` is held against the real time: the client has no other, whatever the simulated clock says.
    """
    claims = _verified(org, assertion)
    if claims.get("iss") != org.consumer_key:
        raise LoginError("invalid_client_id", "client identifier invalid")
    if claims.get("aud") not in (*LOGIN_HOSTS, f"https://{org.my_domain}.salesforce.com", home, _secure(home)):
        raise LoginError("invalid_grant", "audience is invalid")
    user = org.users.get(str(claims.get("sub")))
    if user is None:
        raise LoginError("invalid_grant", "user hasn't approved this consumer")
    return user


def _verified(org: SalesforceOrg, assertion: str) -> dict[str, Any]:
    options: Any = {"verify_aud": False, "require": ["iss", "sub", "aud", "exp"]}
    for key in org.public_keys:
        try:
            return jwt.decode(assertion, key, algorithms=["RS256"], options=options)
        except jwt.ExpiredSignatureError:
            raise LoginError("invalid_grant", "assertion expired") from None
        except jwt.InvalidTokenError:
            continue
    raise LoginError("invalid_grant", "invalid assertion")


def _secure(home: str) -> str:
    return home.replace("http://", "https://", 1)


def _password_user(org: SalesforceOrg, username: str, given: str, code: str) -> User:
    """The user of a name and of password and security token joined; a wrong one counts towards the lockout."""
    user = org.users.get(username)
    message = INVALID_LOGIN if code == "INVALID_LOGIN" else "authentication failure"
    if user is None or org.is_locked(user):
        raise LoginError(code, message)
    if given != user.password + user.security_token:
        org.count_failure(user)
        raise LoginError(code, message)
    return user


def _let_in(org: SalesforceOrg, user: User) -> None:
    if not user.is_active:
        raise LoginError("inactive_user", "user is inactive")
    if org.login_rate_exceeded(user):
        raise LoginError("invalid_grant", "login rate exceeded")


def _soap_user(org: SalesforceOrg, body: bytes) -> User:
    try:
        tree = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise LoginError("UNKNOWN_EXCEPTION", "The request is not well-formed XML") from None
    texts = {element.tag.rpartition("}")[2]: element.text or "" for element in tree.iter()}
    user = _password_user(org, texts.get("username", ""), texts.get("password", ""), "INVALID_LOGIN")
    if not user.is_active:
        raise LoginError("INVALID_LOGIN", INVALID_LOGIN)
    if org.login_rate_exceeded(user):
        raise LoginError("LOGIN_RATE_EXCEEDED", "login rate exceeded")
    return user


def _check_soap_version(version: str) -> None:
    number = float(version) if version.replace(".", "", 1).isdigit() else 0.0
    if number > LAST_SOAP_LOGIN or number < OLDEST_VERSION:
        raise LoginError("UNSUPPORTED_API_VERSION", f"login() is not available in API version {version}")


def _soap_fault(error: LoginError) -> Reply:
    body = _SOAP_FAULT.format(code=escape(error.code), message=escape(error.message))
    return Reply(500, body.encode(), "text/xml")


_SOAP_SUCCESS = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com">'
    "<soapenv:Body><loginResponse><result><passwordExpired>false</passwordExpired><sandbox>true</sandbox>"
    "<serverUrl>{server}</serverUrl><sessionId>{token}</sessionId><userId>{user}</userId>"
    f"<userInfo><organizationId>{ORGANIZATION_ID}</organizationId>"
    "<sessionSecondsValid>7200</sessionSecondsValid></userInfo>"
    "</result></loginResponse></soapenv:Body></soapenv:Envelope>"
)
_SOAP_FAULT = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body><soapenv:Fault>'
    "<faultcode>{code}</faultcode><faultstring>{code}: {message}</faultstring>"
    "<detail><sf:LoginFault><sf:exceptionCode>{code}</sf:exceptionCode>"
    "<sf:exceptionMessage>{message}</sf:exceptionMessage></sf:LoginFault></detail>"
    "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
)
