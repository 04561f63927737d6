"""Sessions of people who signed in: kept in memory, so that a restart ends them all. Hides how their keys are made,
changed and ended: the key in the browser's cookie is not the one that is kept, a key is never taken over from before
the login, and one that was found out is worth little for long."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from concentrator.web.access import Role
from concentrator.web.kept import KeptForms

IDLE_S = 3600.0
LONGEST_S = 12 * 3600.0
SESSIONS_MOST = 200
ROTATED_S = 900.0
"""How long a key is used before another one takes its place."""
GRACE_S = 30.0
"""How long the one before still opens: pages and streams that were asked for with it are on their way."""


@define(eq=False)
class Session:
    """Somebody who signed in. `token` has to come back with every form; `must_change`: the password is still one that
    others know, and there is nothing to do but to choose another. `saved` is kept from the page that was posted to the
    one that is shown next."""

    user: str
    role: Role
    began_at: float
    seen_at: float
    must_change: bool = False
    token: str = field(factory=lambda: secrets.token_urlsafe(24), repr=False)
    saved: dict[str, object] = field(factory=dict, repr=False)
    key_since: float = 0.0


class Sessions:
    """The sessions there are. They end after an hour without a request, after twelve in all, and the longest idle ones
    where there are too many."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self.forms = KeptForms(clock)
        self._sessions: dict[bytes, Session] = {}
        self._leaving: dict[bytes, float] = {}

    def begin(self, user: str, role: Role, *, must_change: bool = False) -> tuple[str, Session]:
        """A new session, and the key for its cookie."""
        now = self._clock.seconds()
        self._forget_ended(now)
        if len(self._sessions) >= SESSIONS_MOST:
            del self._sessions[min(self._sessions, key=lambda each: self._sessions[each].seen_at)]
        key = secrets.token_urlsafe(32)
        session = self._sessions[_kept(key)] = Session(user, role, now, now, must_change, key_since=now)
        return key, session

    def find(self, key: str) -> Session | None:
        """The session of a key, which this keeps from ending for now."""
        now = self._clock.seconds()
        kept = _kept(key)
        session = self._sessions.get(kept)
        if session is None or self._has_ended(session, now) or self._leaving.get(kept, now) < now:
            self._sessions.pop(kept, None)
            self._leaving.pop(kept, None)
            return None
        session.seen_at = now
        return session

    def rotated(self, key: str) -> str:
        """A key to be used from now on, where the one in use was for long enough; else nothing."""
        now, kept = self._clock.seconds(), _kept(key)
        session = self._sessions.get(kept)
        if session is None or kept in self._leaving or now - session.key_since < ROTATED_S:
            return ""
        another = secrets.token_urlsafe(32)
        self._sessions[_kept(another)] = session
        self._leaving[kept] = now + GRACE_S
        session.key_since = now
        return another

    def end(self, key: str) -> None:
        """Ends the session of a key, if there is one."""
        session = self._sessions.get(_kept(key))
        if session is not None:
            self._keep(lambda each: each is not session)

    def count_of(self, user: str) -> int:
        """How many sessions a user has."""
        self._forget_ended(self._clock.seconds())
        return len({id(each) for each in self._sessions.values() if each.user == user})

    def end_of(self, user: str, but: Session | None = None) -> None:
        """Ends all sessions of a user, but one."""
        self._keep(lambda each: each.user != user or each is but)

    def _has_ended(self, session: Session, now: float) -> bool:
        return now - session.seen_at > IDLE_S or now - session.began_at > LONGEST_S

    def _forget_ended(self, now: float) -> None:
        self._keep(lambda each: not self._has_ended(each, now))

    def _keep(self, is_kept: Callable[[Session], bool]) -> None:
        self._sessions = {key: each for key, each in self._sessions.items() if is_kept(each)}
        self._leaving = {key: until for key, until in self._leaving.items() if key in self._sessions}


def _kept(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
