"""Tokens with which programs use the API: a name, what they allow, and a fingerprint of the secret. Hides that a secret
is shown once, when it is made, and never kept: it is too long to be guessed from its fingerprint."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterable, Iterator

from attrs import define, field, frozen

from concentrator.model.errors import OutOfRange, Unknown
from concentrator.model.words import hint

PREFIX = "ccm_"
"""How secrets begin, so that whoever finds one lying about knows what it is."""
TOKENS_MOST = 50
NAME_MOST = 64
_NAME = re.compile(r"[^\s\x00-\x1f](?:[^\x00-\x1f]*[^\s\x00-\x1f])?")


@frozen
class Token:
    """A token: its name, the classes of actions it allows, when it was made (UTC seconds), and the fingerprint of its
    secret."""

    name: str
    allowed: tuple[str, ...]
    made_at: float
    fingerprint: str = field(repr=False)


@define(eq=False)
class Tokens:
    """The tokens there are. `keep(content)` keeps all of them, or raises OSError, and then nothing has changed."""

    _keep: Callable[[bytes], None]
    _tokens: dict[str, Token] = field(factory=dict, init=False)
    _by_fingerprint: dict[str, Token] = field(factory=dict, init=False)

    def load(self, kept: bytes) -> None:
        """Takes up those that were kept. ValueError where that is damaged."""
        try:
            rows = json.loads(kept)["tokens"]
            made = [Token(**{**row, "allowed": tuple(row["allowed"])}) for row in rows]
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError("the file of the tokens is damaged") from error
        self._take(made)

    def __iter__(self) -> Iterator[Token]:
        return iter(tuple(self._tokens.values()))

    def find(self, secret: str) -> Token | None:
        """The token with that secret."""
        return self._by_fingerprint.get(_fingerprint(secret)) if secret.startswith(PREFIX) else None

    def add(self, name: str, allowed: Iterable[str], now: float) -> str:
        """A new token; gives its secret, which nobody can be told again. OutOfRange where it cannot be."""
        if len(name) > NAME_MOST or not _NAME.fullmatch(name):
            raise OutOfRange(f"name: found {name!r}, expected 1 to {NAME_MOST} characters without spaces at the ends")
        if name in self._tokens:
            raise OutOfRange(f"name: there is a token {name!r} already")
        if len(self._tokens) >= TOKENS_MOST:
            raise OutOfRange(f"there are {TOKENS_MOST} tokens already, as many as can be")
        secret = PREFIX + secrets.token_urlsafe(32)
        self._save([*self, Token(name, tuple(allowed), now, _fingerprint(secret))])
        return secret

    def remove(self, name: str) -> None:
        """Takes a token back. Raises Unknown."""
        if name not in self._tokens:
            raise Unknown(f"token {name}{hint(name, self._tokens)}")
        self._save([each for each in self if each.name != name])

    def _save(self, tokens: list[Token]) -> None:
        rows = [
            {"name": each.name, "allowed": each.allowed, "made_at": each.made_at, "fingerprint": each.fingerprint}
            for each in tokens
        ]
        self._keep(json.dumps({"tokens": rows}, indent=1, ensure_ascii=False).encode() + b"\n")
        self._take(tokens)

    def _take(self, tokens: Iterable[Token]) -> None:
        self._tokens = {each.name: each for each in tokens}
        self._by_fingerprint = {each.fingerprint: each for each in self._tokens.values()}


def _fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
