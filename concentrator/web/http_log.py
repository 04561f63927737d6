"""What happened at a site: how many bytes and answers, and the last requests line by line in a format that is chosen
(the CMe3000 user manual, 6.5). Hides the format's directives, that none of them can carry a secret or break a line, and
that a log nobody wants costs nothing."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Mapping

from attrs import define, field, frozen

DEFAULT_FORMAT = '%h %t "%r" %s %B "%{Referer}i" "%{User-Agent}i"'
DIRECTIVE_MOST = 64
"""No directive gives more bytes than that; of %r each part (the CMe3000 user manual, 6.5)."""

STATUSES = (
    (200, "200 - OK"),
    (400, "400 - Bad Request"),
    (401, "401 - Authorization Required"),
    (404, "404 - Not Found"),
    (408, "408 - Request Timeout"),
    (413, "413 - Request Too Large"),
    (501, "501 - Not Implemented"),
)
"""Those that the manual counts by themselves, with its labels."""

_SECRET = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})
_DIRECTIVE = re.compile(r"%(?:\{(?P<header>[^}]*)\}i|(?P<sign>.))")


@frozen
class Served:
    """A request that was answered: of whom, for what, how it went; `sent` is bytes without the head, `at` the local
    time as HH:MM:SS."""

    address: str
    port: int
    user: str
    at: str
    method: str
    path: str
    query: str
    version: str
    status: int
    sent: int
    header: Callable[[str], str]


_GIVES: Mapping[str, Callable[[Served], str]] = {
    "a": lambda it: it.address,
    "b": lambda it: str(it.sent),
    "B": lambda it: str(it.sent) if it.sent else "-",
    "h": lambda it: it.address,
    "m": lambda it: it.method,
    "p": lambda it: str(it.port),
    "q": lambda it: f"?{it.query}" if it.query else "",
    "t": lambda it: it.at,
    "u": lambda it: it.user or "-",
    "U": lambda it: it.path,
    "s": lambda it: str(it.status),
    "r": lambda it: " ".join(
        (_cut(it.method), _cut(it.path) + (_cut(f"?{it.query}") if it.query else ""), _cut(it.version))
    ),
    "%": lambda it: "%",
}


def format_fault(text: str) -> str:
    """What is wrong with a format: the first directive that there is none of; empty where nothing is."""
    for match in _DIRECTIVE.finditer(text):
        if match["sign"] is not None and match["sign"] not in _GIVES:
            return match[0]
        if match["header"] is not None and not re.fullmatch(r"[A-Za-z0-9-]{1,64}", match["header"]):
            return match[0]
    return "%" if re.sub(_DIRECTIVE, "", text).endswith("%") else ""


def written(text: str, it: Served) -> str:
    """A request as a line of that format."""

    def given(match: re.Match[str]) -> str:
        if match["header"] is not None:
            name = match["header"].lower()
            return "…" if name in _SECRET else _cut(_plain(it.header(name)) or "-")
        found = _plain(_GIVES[match["sign"]](it))
        return found if match["sign"] == "r" else _cut(found)

    return _DIRECTIVE.sub(given, text)


@define(eq=False)
class HttpLog:
    """The counts since the start, and the last lines."""

    received: int = 0
    sent: int = 0
    statuses: Counter[int] = field(factory=Counter)
    turned_away: int = 0
    socket_errors: int = 0
    memory_errors: int = 0
    _lines: deque[str] = field(factory=deque)

    def answered(self, status: int) -> None:
        """Counts an answer."""
        self.statuses[status] += 1

    def note(self, line: str, most: int) -> None:
        """Keeps a line, and of all the last `most`."""
        self._lines.append(line)
        self.shorten(most)

    def shorten(self, most: int) -> None:
        """Keeps the last `most` lines only."""
        while len(self._lines) > most:
            self._lines.popleft()

    def lines(self) -> tuple[str, ...]:
        """The lines, newest last."""
        return tuple(self._lines)

    def size(self) -> int:
        """How many bytes the lines have."""
        return sum(len(line.encode()) + 1 for line in self._lines)

    def clear(self) -> None:
        """Forgets the lines; the counts go on."""
        self._lines.clear()

    def counts(self) -> list[tuple[str, int]]:
        """Everything that is counted, with the manual's labels in its order."""
        known = {status for status, _ in STATUSES}
        return [
            ("Rx Bytes", self.received),
            ("Tx Bytes", self.sent),
            *((label, self.statuses[status]) for status, label in STATUSES),
            ("Status Unknown", sum(count for status, count in self.statuses.items() if status not in known)),
            ("Work Queue Full", self.turned_away),
            ("Socket Error", self.socket_errors),
            ("Memory Error", self.memory_errors),
        ]


def _cut(text: str) -> str:
    content = text.encode()
    return text if len(content) <= DIRECTIVE_MOST else content[:DIRECTIVE_MOST].decode(errors="ignore")


def _plain(text: str) -> str:
    """On one line, without what would end a quotation or steer a terminal."""
    return "".join(
        sign if sign.isprintable() and sign not in '"\\' else f"\\x{ord(sign):02x}" if ord(sign) < 256 else "?"
        for sign in text
    )
