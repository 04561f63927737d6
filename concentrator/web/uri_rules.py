"""Rules for addresses, as the CMe3000 has them (its user manual, 6.5): each says what it takes to be let in to an
address and to all under it, and the deepest one that fits an address wins. Hides how a rule is written in one line, and
how an address is compared, whatever way it is spelled."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from urllib.parse import unquote

from attrs import frozen

REALM = "config"
"""As the manual's example has it."""
EXPECTED = '"/URI TYPE [users=NAME,NAME] [realm=WORDS]", TYPE one of none, basic, digest, ssl, ssl/basic, ssl/digest'

_RULE = re.compile(
    r"(?P<uri>/[^\s?#]*)\s+(?P<way>none|basic|digest|ssl(?:/basic|/digest)?)"
    r"(?:\s+users=(?P<users>[A-Za-z0-9._@,-]+))?(?:\s+realm=(?P<realm>[^\x00-\x1f\x7f\"\\]{1,64}))?",
)


class Way(StrEnum):
    """What it takes: nothing, a user with his password said in one of two ways, an encrypted connection, or both."""

    NONE = "none"
    BASIC = "basic"
    DIGEST = "digest"
    SSL = "ssl"
    SSL_BASIC = "ssl/basic"
    SSL_DIGEST = "ssl/digest"

    @property
    def takes_ssl(self) -> bool:
        """Whether the connection must be encrypted."""
        return self.startswith("ssl")

    @property
    def takes_basic(self) -> bool:
        """Whether a password is said by HTTP Basic."""
        return self.endswith("basic")

    @property
    def takes_digest(self) -> bool:
        """Whether a password is said by HTTP Digest."""
        return self.endswith("digest")

    @property
    def label(self) -> str:
        """As the manual writes it."""
        return "/".join("SSL" if part == "ssl" else part.capitalize() for part in self.split("/"))


@frozen
class UriRule:
    """A rule: for `uri` and what is under it; `users` who may, all where it names none; `realm` is what a browser shows
    with its question."""

    uri: str
    way: Way
    users: tuple[str, ...] = ()
    realm: str = REALM

    def __str__(self) -> str:
        users = f" users={','.join(self.users)}" if self.users else ""
        return f"{self.uri} {self.way}{users}{f' realm={self.realm}' if self.realm != REALM else ''}"


def rule_of(text: str) -> UriRule:
    """A rule as it is written. ValueError where it is none."""
    match = _RULE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"expected {EXPECTED}")
    users = tuple(dict.fromkeys(name for name in (match["users"] or "").split(",") if name))
    return UriRule(match["uri"], Way(match["way"]), users, (match["realm"] or REALM).strip())


def winner(rules: Sequence[UriRule], path: str) -> UriRule | None:
    """The rule that counts for an address: of those for it or for what it is under, the deepest; of two for one
    address the later. None where there is none."""
    parts, found, depth = _parts(path), None, -1
    for rule in rules:
        own = _parts(rule.uri)
        if len(own) >= depth and parts[: len(own)] == own:
            found, depth = rule, len(own)
    return found


def _parts(path: str) -> list[str]:
    """What stands between the slashes: an address with two in a row is the same place."""
    return [unquote(part) for part in path.partition("?")[0].split("/") if part]
