"""Which tokens are accepted: a shared key, or an issuer's published keys fetched over real HTTP."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from threading import Thread
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from readapi.keys import PublishedKeys, SharedKey, read_key_set
from readapi.problems import Problem
from readapi.tokens import Tokens

KEY = "a shared key of the tests, 32 bytes or more"
ALICE = "001000000000001AAA"
RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def claims(**more: object) -> dict[str, object]:
    return {"sub": ALICE, "exp": time.time() + 600} | more


def signed(key: Any = KEY, algorithm: str = "HS256", kid: object = None, **more: object) -> str:
    payload = {name: value for name, value in claims(**more).items() if value is not ...}
    return jwt.encode(payload, key, algorithm=algorithm, headers={"kid": kid} if kid else None)


def raw(header: object, payload: object, secret: bytes | None = None) -> str:
    """A token made by hand, for what no library would sign."""
    parts = [base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=") for part in (header, payload)]
    message = b".".join(parts)
    signature = hmac.new(secret, message, hashlib.sha256).digest() if secret else b""
    return (message + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def refused(tokens: Tokens, authorization: str | None) -> Problem:
    with pytest.raises(Problem) as caught:
        tokens.subject(authorization)
    assert 401 == caught.value.status
    assert caught.value.headers["WWW-Authenticate"].startswith("Bearer")
    return caught.value


@pytest.fixture
def shared() -> Tokens:
    return Tokens(SharedKey(KEY))


def test_a_good_token_gives_its_subject(shared):
    """Scheme in any case, blanks around, audience and issuer ignored where none is set."""
    token = signed(aud="anything", iss="anyone", iat=time.time(), nbf=time.time())
    for authorization in (f"Bearer {token}", f"bearer {token}", f"BEARER  {token} "):
        assert ALICE == shared.subject(authorization)


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic dTpw", "Token x"])
def test_no_credentials_are_challenged_without_an_error(shared, authorization):
    """RFC 6750, 3.1: a request without a token learns no error code."""
    assert "Bearer" == refused(shared, authorization).headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: signed(key="another key of 32 bytes or more, still"),
        lambda: signed(exp=time.time() - 1),
        lambda: signed(exp="soon"),
        lambda: signed(sub=...),
        lambda: signed(sub=""),
        lambda: signed(nbf=time.time() + 300),
        lambda: signed(iat=time.time() + 300),
        lambda: signed(algorithm="HS512", key=KEY * 3),
        lambda: raw({"alg": "none", "typ": "JWT"}, claims()),
        lambda: raw({"alg": "None"}, claims(), KEY.encode()),
        lambda: raw({"alg": "HS256"}, claims(sub=5), KEY.encode()),
        lambda: raw({"alg": "HS256"}, claims(sub=None), KEY.encode()),
        lambda: raw({"alg": "HS256"}, claims(sub=[ALICE]), KEY.encode()),
        lambda: raw({"alg": "HS256"}, claims(exp=[1]), KEY.encode()),
        lambda: raw({"alg": "HS256"}, claims(exp=None), KEY.encode()),
        lambda: raw({"alg": "HS256"}, [ALICE], KEY.encode()),
        lambda: raw({"alg": ["HS256"]}, claims(), KEY.encode()),
        lambda: raw({"alg": {}}, claims(), KEY.encode()),
        lambda: raw({}, claims(), KEY.encode()),
        lambda: raw([], claims(), KEY.encode()),
        lambda: raw({"alg": "HS256", "kid": 5}, claims(), KEY.encode()),
        lambda: raw({"alg": "HS256", "crit": ["b64"], "b64": False}, claims(), KEY.encode()),
        lambda: "x",
        lambda: "..",
        lambda: "a.b.c",
        lambda: "é.é.é",
        lambda: "x" * 9000,
        lambda: signed() + "x",
        lambda: signed().rsplit(".", 1)[0] + ".",
        lambda: base64.urlsafe_b64encode(b'{"alg":' + b"[" * 3000).decode() + ".e30.x",
    ],
)
def test_a_bad_token_is_refused_by_code_and_never_repeated(shared, make):
    """401 with error="invalid_token" (RFC 6750), and nothing of the token in the answer."""
    token = make()  # now, not when tests were collected: a slow run would make some of them valid
    problem = refused(shared, f"Bearer {token}")
    assert 'error="invalid_token"' in problem.headers["WWW-Authenticate"]
    assert token not in problem.detail + problem.headers["WWW-Authenticate"] or len(token) < 3


def test_clocks_may_differ_by_a_minute_but_expired_is_expired(shared):
    """nbf and iat have a leeway of 60 s, exp has none."""
    assert ALICE == shared.subject(f"Bearer {signed(nbf=time.time() + 50, iat=time.time() + 50)}")
    refused(shared, f"Bearer {signed(exp=time.time() - 0.5)}")


def test_issuer_and_audience_are_required_where_set():
    """A token of another issuer, for another audience, or without the claim is refused."""
    tokens = Tokens(SharedKey(KEY), issuer="https://id", audience="portal")
    assert ALICE == tokens.subject(f"Bearer {signed(iss='https://id', aud=['x', 'portal'])}")
    for more in (
        {"iss": "https://id"},
        {"aud": "portal"},
        {"iss": "x", "aud": "portal"},
        {"iss": "https://id/", "aud": "portal"},
        {"iss": "https://id", "aud": "x"},
    ):
        refused(tokens, f"Bearer {signed(**more)}")


def test_a_remembered_token_still_expires():
    """Verification is remembered until exp and not a moment longer."""
    now = [time.time()]
    tokens = Tokens(SharedKey(KEY), clock=lambda: now[0])
    token = signed()
    assert ALICE == tokens.subject(f"Bearer {token}")
    now[0] += 601
    refused(tokens, f"Bearer {token}")


def test_a_token_may_name_no_expiry():
    """exp is honoured where a token has it and asked of none: without it the key's life is the token's."""
    now = [time.time()]
    tokens = Tokens(SharedKey(KEY), clock=lambda: now[0])
    token = signed(exp=...)
    assert ALICE == tokens.subject(f"Bearer {token}")
    now[0] += 86400 * 365
    assert ALICE == tokens.subject(f"Bearer {token}")


class Issuer:
    """A key set over HTTP that can be changed and taken down."""

    def __init__(self) -> None:
        self.keys: list[object] = []
        self.instead: Response | None = None
        self.asked = 0
        self.server = make_server("127.0.0.1", 0, self, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.port}/keys"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        self.asked += 1
        answer = self.instead or Response(orjson.dumps({"keys": self.keys}))
        return answer(environ, start_response)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    issuer.keys = [published(RSA_KEY, "r"), published(EC_KEY, "e"), published(ED_KEY, "d")]
    yield issuer
    issuer.server.shutdown()
    issuer.server.server_close()


def published(key: Any, kid: str | None, **more: object) -> dict[str, Any]:
    algorithm = {rsa.RSAPrivateKey: RSAAlgorithm, ec.EllipticCurvePrivateKey: ECAlgorithm}
    kind = next((value for known, value in algorithm.items() if isinstance(key, known)), OKPAlgorithm)
    entry: dict[str, Any] = kind.to_jwk(key.public_key(), as_dict=True)
    return entry | ({"kid": kid} if kid else {}) | more


def fetched(issuer: Issuer, **options: Any) -> tuple[Tokens, PublishedKeys]:
    """Tokens verified by the issuer's keys, fetched once."""
    keys = PublishedKeys(issuer.url, **options)
    assert keys.fetch()
    return Tokens(keys), keys


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"), [(RSA_KEY, "RS256", "r"), (EC_KEY, "ES256", "e"), (ED_KEY, "EdDSA", "d")]
)
def test_published_keys_verify_by_key_id(issuer, key, algorithm, kid):
    """RS256, ES256 and EdDSA, each by its own key; without a kid the only fitting key serves."""
    tokens, _ = fetched(issuer)
    assert ALICE == tokens.subject(f"Bearer {signed(key, algorithm, kid)}")
    assert ALICE == tokens.subject(f"Bearer {signed(key, algorithm)}")
    assert 1 == issuer.asked


def test_no_published_key_serves_for_another_algorithm(issuer):
    """HS256 with the public key as its secret, RS512, none, and a kid of another kind of key are all refused."""
    tokens, _ = fetched(issuer)
    pem = RSA_KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    der = RSA_KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, pem.strip(), der, orjson.dumps(published(RSA_KEY, "r"))):
        refused(tokens, f"Bearer {raw({'alg': 'HS256', 'kid': 'r'}, claims(), secret)}")
    refused(tokens, f"Bearer {raw({'alg': 'none', 'kid': 'r'}, claims())}")
    refused(tokens, f"Bearer {signed(RSA_KEY, 'RS512', 'r')}")
    refused(tokens, f"Bearer {signed(RSA_KEY, 'PS256', 'r')}")
    refused(tokens, f"Bearer {signed(EC_KEY, 'ES256', 'r')}")
    refused(tokens, f"Bearer {signed(OTHER_RSA_KEY, 'RS256', 'r')}")


def test_a_shared_key_never_verifies_anything_but_hs256(shared):
    """A token signed by a private key does not pass where a shared key is set."""
    refused(shared, f"Bearer {signed(RSA_KEY, 'RS256', 'r')}")


def test_a_rotated_key_is_fetched_and_the_old_one_dropped(issuer):
    """An unknown kid asks for the set again; tokens of a key no longer published are refused, remembered or not."""
    now = [1000.0]
    tokens, keys = fetched(issuer, clock=lambda: now[0])
    old, new = signed(RSA_KEY, "RS256", "r"), signed(OTHER_RSA_KEY, "RS256", "r2")
    assert ALICE == tokens.subject(f"Bearer {old}")
    issuer.keys = [published(OTHER_RSA_KEY, "r2")]
    now[0] += 31
    refused(tokens, f"Bearer {new}")
    assert tokens.may_come()
    keys.fetch()
    assert not tokens.may_come()
    assert ALICE == tokens.subject(f"Bearer {new}")
    refused(tokens, f"Bearer {old}")


def test_keys_are_fetched_in_the_background(issuer):
    """Once started, the first set comes by itself, and an unknown key id brings the next."""
    keys = PublishedKeys(issuer.url, floor=0)
    tokens = Tokens(keys)
    keys.start()
    asyncio.run(tokens.arrived(30))
    assert ALICE == tokens.subject(f"Bearer {signed(RSA_KEY, 'RS256', 'r')}")
    issuer.keys = [published(OTHER_RSA_KEY, "r2")]
    new = signed(OTHER_RSA_KEY, "RS256", "r2")
    refused(tokens, f"Bearer {new}")
    asyncio.run(tokens.arrived(30))
    assert ALICE == tokens.subject(f"Bearer {new}")


def test_made_up_key_ids_do_not_drive_us_against_the_issuer(issuer):
    """No fetch is asked for within 30 seconds of the last, however many unknown ids come."""
    tokens, _ = fetched(issuer)
    for number in range(20):
        refused(tokens, f"Bearer {signed(RSA_KEY, 'RS256', f'x{number}')}")
        assert not tokens.may_come()
    assert 1 == issuer.asked


@pytest.mark.parametrize(
    "answer",
    [
        Response(status=500),
        Response("<html>", 200),
        Response(status=302, headers={"Location": "http://127.0.0.1:1/keys"}),
        Response('{"keys": "none"}', 200),
        Response('{"keys":' + "[" * 100_000, 200),
        Response(gzip.compress(b'{"keys": [' + b" " * 30_000_000 + b"]}"), 200, {"Content-Encoding": "gzip"}),
    ],
    ids=["error", "html", "redirect", "no set", "deep", "bomb"],
)
def test_the_last_keys_go_on_while_the_issuer_fails_for_a_day(issuer, answer):
    """Whatever comes instead of a set, the last one holds for its maximum age; then 503, as without any."""
    now = [1000.0]
    tokens, keys = fetched(issuer, clock=lambda: now[0])
    token = signed(RSA_KEY, "RS256", "r")
    issuer.instead = answer
    assert not keys.fetch()
    now[0] += 24 * 3600
    assert ALICE == tokens.subject(f"Bearer {token}")
    assert 24 * 3600 == tokens.keys_age()
    now[0] += 1
    for without in (tokens, Tokens(PublishedKeys(issuer.url))):
        with pytest.raises(Problem) as caught:
            without.subject(f"Bearer {token}")
        assert (503, "no-keys") == (caught.value.status, caught.value.kind)
        assert int(caught.value.headers["Retry-After"]) > 0


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("instant", [10**400, -(10**400), 2**63, "2000000000", True, [1]])
def test_an_instant_that_is_none_is_refused(shared, claim, instant):
    """A well signed token whose dates are no dates is 401, never a fault of ours."""
    payload = json.dumps(claims() | {claim: instant}).encode()
    refused(shared, f"Bearer {jwt.api_jws.encode(payload, KEY, 'HS256')}")


def test_where_it_is_demanded_a_token_must_expire_soon():
    """With `longest_hours`, a token without exp, or one that expires further off, is refused."""
    tokens = Tokens(SharedKey(KEY), longest_hours=2)
    assert ALICE == tokens.subject(f"Bearer {signed(exp=time.time() + 7000)}")
    refused(tokens, f"Bearer {signed(exp=...)}")
    refused(tokens, f"Bearer {signed(exp=time.time() + 8000)}")


@pytest.mark.parametrize("document", [None, [], {}, {"keys": None}, {"keys": {}}, "x"])
def test_what_is_no_key_set_is_no_key_set(document):
    """A document of another form is a fault of the issuer, not an empty set."""
    with pytest.raises(ValueError, match="not a JWK set"):
        read_key_set(document)


def test_keys_that_may_not_verify_here_are_passed_over():
    """Symmetric, encryption, other curves, other algorithms, weak and broken keys; one good key remains."""
    small = rsa.generate_private_key(65537, 1024)
    entries = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "o"},
        published(RSA_KEY, "enc", use="enc"),
        published(RSA_KEY, "512", alg="RS512"),
        published(RSA_KEY, "hs", alg="HS256"),
        published(ec.generate_private_key(ec.SECP384R1()), "p384"),
        published(small, "small"),
        {"kty": "RSA", "kid": "broken", "n": "x"},
        {"kty": ["RSA"], "kid": "odd"},
        {"kty": "EC", "crv": {}, "kid": "odd"},
        "text",
        None,
        published(RSA_KEY, "good", use="sig", alg="RS256"),
    ]
    assert [("RS256", "good")] == list(read_key_set({"keys": entries}))
