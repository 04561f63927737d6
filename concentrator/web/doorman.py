"""The doorman: lets a request to an address in as the rule for it says, above whatever the page itself asks for. Hides
HTTP Basic and Digest, that a password which was right a moment ago is not hashed anew for each picture of a page, and
that tries are counted like those at the login."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.web.server import Request

from concentrator.web.conduct import Conduct
from concentrator.web.gate import Gate, Wait, Wrong
from concentrator.web.site import Refusal
from concentrator.web.uri_rules import UriRule, winner

REMEMBERED_S = 600.0
REMEMBERED_MOST = 100


class Doorman:
    """Decides by the rules of the site's conduct of now."""

    def __init__(self, gate: Gate, clock: IReactorTime, conduct: Callable[[], Conduct]) -> None:
        self._conduct = conduct
        self._gate = gate
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, float] = OrderedDict()
        self._digests: dict[str, Any] = {}

    def admit(self, request: Request) -> Refusal | Deferred[Refusal | None] | None:
        """None for a welcome visitor, or why not; later where a password has to be checked."""
        path = request.uri.partition(b"?")[0].decode("ascii", "replace")
        conduct = self._conduct()
        rule = winner(conduct.rules, path)
        if not request.isSecure() and (conduct.is_redirecting or (rule is not None and rule.way.takes_ssl)):
            return _to_https(request, conduct.secure_port)
        if rule is None:
            return None
        if rule.way.takes_basic:
            return Deferred.fromCoroutine(self._basic(request, rule))
        if rule.way.takes_digest:
            return self._digest(request, rule)
        return None

    async def _basic(self, request: Request, rule: UriRule) -> Refusal | None:
        asked = Refusal(
            HTTPStatus.UNAUTHORIZED,
            "Sign in first.",
            (("WWW-Authenticate", f'Basic realm="{rule.realm}", charset="UTF-8"'),),
        )
        said = _basic_of(request)
        if said is None:
            return asked
        name, password = said
        if rule.users and name not in rule.users:
            return asked
        mark = self._mark(name, password)
        if mark and self._right.get(mark, 0.0) > self._clock.seconds():
            return None
        try:
            await self._gate.known(str(getattr(request.getClientAddress(), "host", "")), name, password)
        except Wrong:
            return asked
        except Wait as wait:
            return _wait(wait)
        self._remember(self._mark(name, password))
        return None

    def _mark(self, name: str, password: str) -> bytes:
        """Stands for a name with a password, as long as the password is the one that is kept."""
        user = self._gate.users.find(name)
        if user is None:
            return b""
        return hmac.digest(self._key, "\0".join((name, user.password, password)).encode(), hashlib.sha256)

    def _remember(self, mark: bytes) -> None:
        self._right[mark] = self._clock.seconds() + REMEMBERED_S
        self._right.move_to_end(mark)
        while len(self._right) > REMEMBERED_MOST:
            self._right.popitem(last=False)

    def _digest(self, request: Request, rule: UriRule) -> Refusal | None:
        from twisted.cred.error import LoginFailed

        address = str(getattr(request.getClientAddress(), "host", ""))
        factory = self._digests_of(rule.realm)
        kind, _, words = (request.getHeader(b"authorization") or b"").partition(b" ")
        if kind.lower() != b"digest":
            return _challenge(factory, address)
        waiting_s = self._gate.tries.wait_s(address, "")
        if waiting_s > 0:
            return _wait(Wait(int(waiting_s) + 1))
        try:
            said = factory.decode(words, request.method, address)
        except (LoginFailed, binascii.Error, ValueError):
            return _challenge(factory, address, is_stale=b"nonce" in words)
        name = said.username.decode("utf-8", "replace")
        user = self._gate.users.find(name) if not rule.users or name in rule.users else None
        known = user.digests.get(rule.realm, "") if user is not None else ""
        if known and said.fields.get("uri") == request.uri and _is_right(said, known.encode()):
            return None
        self._gate.tries.failed(address, name)
        return _challenge(factory, address)

    def _digests_of(self, realm: str) -> Any:
        from twisted.cred.credentials import DigestCredentialFactory

        if realm not in self._digests:
            self._digests[realm] = DigestCredentialFactory(b"md5", realm.encode())
        return self._digests[realm]


def realms_of(rules: Iterable[UriRule]) -> dict[str, set[str]]:
    """Who signs in by HTTP Digest in which realms, by name; with the empty name, everybody."""
    found: dict[str, set[str]] = {}
    for rule in rules:
        if rule.way.takes_digest:
            for name in rule.users or ("",):
                found.setdefault(name, set()).add(rule.realm)
    return found


def _to_https(request: Request, port: int | None) -> Refusal:
    sentence, host = "This address is only open over HTTPS.", _host_of(request)
    if port is None or not host or request.method not in (b"GET", b"HEAD"):
        return Refusal(HTTPStatus.FORBIDDEN, sentence)
    uri = quote(request.uri.decode("ascii", "replace"), safe="/?&=%+:,;@!$'()*~.-_")
    there = f"https://{host}{'' if port == 443 else f':{port}'}{uri if uri.startswith('/') else '/'}"
    return Refusal(HTTPStatus.TEMPORARY_REDIRECT, sentence, (("Location", there),))


def _is_right(said: Any, known: bytes) -> bool:
    if said.fields.get("qop") != b"auth" or said.fields.get("algorithm", b"MD5").lower() != b"md5":
        return False
    if not all(said.fields.get(name) for name in ("nc", "cnonce", "response")):
        return False
    return bool(said.checkHash(known))


def _challenge(factory: Any, address: str, *, is_stale: bool = False) -> Refusal:
    words = factory.getChallenge(address)
    parts = [f'{name}="{value.decode()}"' for name, value in words.items() if name not in ("algorithm", "qop")]
    parts += ["algorithm=MD5", 'qop="auth"', *(["stale=true"] if is_stale else [])]
    return Refusal(HTTPStatus.UNAUTHORIZED, "Sign in first.", (("WWW-Authenticate", f"Digest {', '.join(parts)}"),))


def _wait(wait: Wait) -> Refusal:
    return Refusal(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"Too many tries. Next try in {wait.seconds} s.",
        (("Retry-After", str(wait.seconds)),),
    )


def _basic_of(request: Request) -> tuple[str, str] | None:
    kind, _, words = (request.getHeader(b"authorization") or b"").partition(b" ")
    if kind.lower() != b"basic":
        return None
    try:
        name, colon, password = base64.b64decode(words.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (name, password) if colon else None


def _host_of(request: Request) -> str:
    """The name the visitor used for this box, without a port; empty where it is none."""
    host = (request.getHeader(b"host") or b"").decode("ascii", "replace")
    name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
    return name if name and all(sign.isalnum() or sign in ".-_[]:" for sign in name) else ""
