"""Passwords: how they are kept, how one is recognised, and which are too well known to be one. Hides the memory-hard
function (scrypt, RFC 7914) and its costs, which are kept with each hash so that they can rise later."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from itertools import pairwise

from attrs import frozen

LEAST, MOST = 10, 200
"""The length of a password that somebody chooses, in characters."""

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""For passwords that are read from a label and typed: none looks like another."""

_SALT_BYTES, _HASH_BYTES = 16, 32
_MEMORY_MOST = 16 * 2**20

# From the lists of leaked passwords that are published every year: those that are long enough to be tried here, and
# the words that the shorter ones are made longer from.
_LISTED = """
    1234567890 0123456789 0987654321 12345678910 123456789a 1234567891 qwertyuiop 1q2w3e4r5t q1w2e3r4t5 1qaz2wsx3edc
    qwerty12345 qwerty123456 1234qwerasdf asdfghjkl1 zaq12wsxcde password12 password123 password1234 passw0rd123
    p@ssw0rd123 p@ssword123 contraseña contrasena contraseña1 contrasena1 administrator administrador admin12345
    admin123456 adminadmin rootroot123 changeme123 letmein123 welcome123 welcome1234 iloveyou12 iloveyou123 teamomucho
    sunshine123 football123 princess123 superman123 baseball123 dragon12345 abcdefghij abcdefghijk abcd123456
    abc1234567 abc123456789 aa12345678 a123456789 qazwsxedcr qwerasdfzxcv asdfasdfasdf zxcvbnm123 concentrator
    ccmaster123 energycm123 installer123 instalador
"""
_KNOWN = frozenset(_LISTED.split())


@frozen
class Cost:
    """What a check takes: `n` · `r` · 128 bytes of memory, walked through `p` times over (RFC 7914, 2)."""

    n: int
    r: int
    p: int


COST = Cost(2**13, 8, 10)
"""8 MiB, one of the settings that OWASP's Password Storage Cheat Sheet holds to be equally strong."""


def hashed(password: str, cost: Cost = COST) -> str:
    """A password as it is kept."""
    salt = secrets.token_bytes(_SALT_BYTES)
    words = (_text(salt), _text(_scrypt(password, salt, cost)))
    return "$".join(("scrypt", str(cost.n), str(cost.r), str(cost.p), *words))


def fits(password: str, kept: str) -> bool:
    """Whether a password is the one that is kept so. ValueError where it is kept in a way that nobody knows."""
    name, n, r, p, salt, known = kept.split("$")
    if name != "scrypt":
        raise ValueError(f"found a hash called {name!r}, expected scrypt")
    found = _scrypt(password, base64.b64decode(salt), Cost(int(n), int(r), int(p)))
    return hmac.compare_digest(found, base64.b64decode(known))


def made() -> str:
    """A password by chance, to be read and typed: three groups of five, 75 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(3))


def is_well_known(password: str, *names: str) -> bool:
    """Whether a password is among those that are tried first: one of the most common, one of the given names (that of
    the user, that of the box) or little else than it, one sign again and again, or a row of the alphabet or the
    figures."""
    plain = password.lower()
    if plain in _KNOWN or len(set(plain)) < 4:
        return True
    steps = {ord(later) - ord(earlier) for earlier, later in pairwise(plain)}
    if len(steps) == 1 and steps <= {1, -1}:
        return True
    return any(len(name) > 2 and len(plain.replace(name.lower(), "")) < 4 for name in names)


def _scrypt(password: str, salt: bytes, cost: Cost) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=cost.n, r=cost.r, p=cost.p, maxmem=_MEMORY_MOST, dklen=_HASH_BYTES
    )


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
