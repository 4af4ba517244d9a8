"""Who may come in: the users, keys, sessions and the API allowance of the stand-in's org (salesforce-api 2, 11)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from uuid import uuid4

from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.salesforce.ids import to_18

SESSION_LIFE = timedelta(hours=2)
FAILURES_BEFORE_LOCKOUT = 10
LOCKOUT = timedelta(minutes=15)
LOGINS_PER_HOUR = 3600


@dataclass
class User:
    """One user: `logins` and `failures` count since the start; the last failures in a row lead to a lockout."""

    username: str
    password: str
    security_token: str
    user_id: str
    is_active: bool = True
    logins: int = 0
    failures: int = 0
    failures_in_row: int = 0
    locked_until: datetime | None = None
    recent: deque[datetime] = field(default_factory=deque)


@dataclass(frozen=True)
class Session:
    token: str
    user: User
    expires_at: datetime | None


class Access:
    """Logins and sessions. Attributes are made up and public: tests and the demo read them to log in."""

    consumer_key = "3MVG9.demo.consumer.key"
    consumer_secret = "demo-consumer-secret"
    username = "integration@demo.example"
    password = "demo-password"
    security_token = "demoTOKEN"
    my_domain = "demo.my"

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock = clock
        self.session_life = SESSION_LIFE
        self.api_total = 100_000
        self.deliveries_total = 25_000
        self.deliveries_used = 0
        self.public_keys: list[str] = []
        self.sessions: dict[str, Session] = {}
        self.refresh_tokens: dict[str, str] = {}
        self.rotates_refresh_tokens = True
        self.users = {self.username: User(self.username, self.password, self.security_token, to_18("005Sd0000000001"))}
        self._calls: deque[list[int]] = deque()
        self._access_lock = Lock()

    @property
    def logins(self) -> int:
        """Successful logins of all users so far."""
        return sum(user.logins for user in self.users.values())

    def add_public_key(self, pem: str) -> None:
        """A public key (PEM) that may sign JWT bearer assertions."""
        self.public_keys.append(pem)

    def open_session(self, username: str | None = None, *, for_ever: bool = False) -> str:
        """A session of the user (the integration user by default), counted as a login. Returns its token."""
        user = self.users[username or self.username]
        token = f"00DSd0000000001!{uuid4().hex}"
        with self._access_lock:
            user.logins += 1
            user.failures_in_row = 0
            user.recent.append(self.clock.now())
            self.sessions[token] = Session(token, user, None if for_ever else self.clock.now() + self.session_life)
        return token

    def session(self, token: str) -> Session | None:
        """The live session of a token."""
        session = self.sessions.get(token)
        if session is None or (session.expires_at is not None and session.expires_at <= self.clock.now()):
            return None
        return session

    def expire_sessions(self) -> None:
        """Ends every session now, as an admin or a changed policy does."""
        self.sessions.clear()

    def end_session(self, token: str) -> None:
        self.sessions.pop(token, None)

    def issue_refresh_token(self, username: str | None = None) -> str:
        """A refresh token as a web-server flow would have left it (H47)."""
        token = f"5Aep{uuid4().hex}"
        self.refresh_tokens[token] = username or self.username
        return token

    def is_locked(self, user: User) -> bool:
        return user.locked_until is not None and user.locked_until > self.clock.now()

    def login_rate_exceeded(self, user: User) -> bool:
        hour_ago = self.clock.now() - timedelta(hours=1)
        while user.recent and user.recent[0] <= hour_ago:
            user.recent.popleft()
        return len(user.recent) >= LOGINS_PER_HOUR

    def count_failure(self, user: User) -> None:
        """A wrong password; enough of them in a row lock the user out for a while."""
        with self._access_lock:
            user.failures += 1
            user.failures_in_row += 1
            if user.failures_in_row >= FAILURES_BEFORE_LOCKOUT:
                user.locked_until = self.clock.now() + LOCKOUT
                user.failures_in_row = 0

    @property
    def api_used(self) -> int:
        """Authenticated requests of the last 24 hours, by the hour."""
        hour = int(self.clock.now().timestamp()) // 3600
        with self._access_lock:
            while self._calls and self._calls[0][0] <= hour - 24:
                self._calls.popleft()
            return sum(calls for _, calls in self._calls)

    def count_call(self, calls: int = 1) -> None:
        """Counts API calls; other consumers of the org are simulated by counting theirs."""
        hour = int(self.clock.now().timestamp()) // 3600
        with self._access_lock:
            if not self._calls or self._calls[-1][0] != hour:
                self._calls.append([hour, 0])
            self._calls[-1][1] += calls
