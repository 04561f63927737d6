"""The AT language of modems: what arrives becomes lines and prompts, and lines become what they say. No clock, no port.
Hides echoes, blank lines, replies that come in pieces, and how results and errors are written.

Sources: ITU-T V.250 (lines and results); 3GPP TS 27.007, 7.2 and 9.2 (registration, errors); 3GPP TS 27.005, 3 and 4
(messages in PDU mode, +CMS ERROR, the prompt).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from attrs import define, field, frozen

LONGEST = 1024
"""Bytes of a line that are kept; the longest message takes some 360 characters."""
PROMPT = "> "
CTRL_Z, ESC = b"\x1a", b"\x1b"

_END = re.compile(rb"[\r\n]+")
_RESULT = re.compile(r"(OK|ERROR|NO CARRIER|COMMAND NOT SUPPORT|\+CM[ES] ERROR: *(.*))", re.IGNORECASE)
_UNASKED = (
    "+CMTI:",
    "+CMT:",
    "+CDS:",
    "+CDSI:",
    "+CBM:",
    "RING",
    "+CRING:",
    "+CLIP:",
    "^",
    "+CUSD:",
    "+CGEV:",
    "NO CARR",
)
_SEARCHING, _HOME, _ROAMING = 2, 1, 5

CMS_ERRORS = {
    1: "the number is not assigned",
    8: "the operator bars this",
    10: "the SIM is barred from calls",
    21: "the network rejects the message",
    28: "the subscriber is not known",
    30: "the subscriber is not known",
    38: "the network is out of order",
    41: "a temporary failure of the network",
    42: "the network is congested",
    47: "the network has no resources",
    50: "the SIM may not send messages",
    69: "the network does not do this",
    96: "the message lacks something",
    300: "the modem failed",
    301: "the modem's message service is reserved",
    302: "the modem does not allow this",
    303: "the modem does not do this",
    304: "the modem does not understand the message",
    305: "the modem does not understand the text",
    310: "there is no SIM",
    311: "the SIM asks for its PIN, which must be disabled",
    313: "the SIM failed",
    314: "the SIM is busy",
    315: "the SIM is a wrong one",
    316: "the SIM asks for its PUK",
    320: "the modem's memory failed",
    322: "the memory is full",
    330: "the number of the service centre is not known",
    331: "there is no network",
    332: "the network did not answer in time",
    500: "an unknown error",
    512: "an error of the modem's own",
}
"""+CMS ERROR in words (3GPP TS 27.005, 3.2.5; below 128 those of TS 24.011, E-2)."""
LASTING = frozenset((1, 8, 10, 21, 28, 30, 50, 69, 96, 302, 303, 304, 305))
"""Those that another try would not mend."""
_CME_ERRORS = {
    3: "not allowed",
    4: "not supported",
    10: "there is no SIM",
    11: "the SIM asks for its PIN, which must be disabled",
    12: "the SIM asks for its PUK",
    13: "the SIM failed",
    14: "the SIM is busy",
    15: "the SIM is a wrong one",
    30: "there is no network",
}


@frozen
class Verdict:
    """How a command ended: well or not, the code of +CMS ERROR (0: none), and what is wrong, in words."""

    is_ok: bool
    code: int = 0
    words: str = ""


@define
class Lines:
    """What a modem says, as whole lines without their ends, and prompts; blank lines are left out."""

    _begun: bytes = field(default=b"", init=False)
    _is_too_long: bool = field(default=False, init=False)

    def came(self, data: bytes) -> Iterator[str]:
        """The lines that are whole now; PROMPT where the modem waits for a text. What is not ASCII is replaced."""
        *whole, rest = _END.split(self._begun + data)
        for line in whole:
            if not self._is_too_long and line.strip():
                yield PROMPT if line.strip() == b">" else line.strip().decode("ascii", "replace")
            self._is_too_long = False
        if rest.lstrip().startswith(b">") and rest.strip() == b">" and not self._is_too_long:
            rest = b""
            yield PROMPT
        if len(rest) > LONGEST:
            self._is_too_long, rest = True, b""
        self._begun = rest if not rest.isspace() else b""


def verdict_of(line: str) -> Verdict | None:
    """How a command ended, where the line says that it did."""
    match = _RESULT.fullmatch(line)
    if match is None:
        return None
    if line.upper() == "OK":
        return Verdict(True)
    code = int(match[2]) if match[2] and match[2].isdecimal() and len(match[2]) < 6 else 0
    if line.upper().startswith("+CMS"):
        return Verdict(False, code, CMS_ERRORS.get(code, line))
    return Verdict(False, 0, _CME_ERRORS.get(code, line))


def is_unasked(line: str) -> bool:
    """Whether modems say such a line without being asked."""
    return line.upper().startswith(_UNASKED)


def answer_of(lines: Sequence[str], prefix: str) -> str:
    """What stands behind `prefix` in the first line that has it; empty where none has."""
    return next((line[len(prefix) :].strip() for line in lines if line.upper().startswith(prefix)), "")


def is_registered(answer: str) -> bool:
    """Whether +CREG, +CGREG or +CEREG says that the modem has a network."""
    return _registration(answer) in (_HOME, _ROAMING)


def _registration(answer: str) -> int:
    fields = answer.split(",")
    stated = fields[1] if len(fields) > 1 else fields[0]
    return int(stated) if stated.strip().isdecimal() else _SEARCHING


def signal_percent(answer: str) -> int | None:
    """The signal of +CSQ, 0 to 31 there, as a share in percent; None where the modem does not know it."""
    level = answer.partition(",")[0].strip()
    return round(int(level) / 31 * 100) if level.isdecimal() and int(level) <= 31 else None


def operator_of(answer: str) -> str:
    """The name in +COPS; empty where there is none."""
    match = re.search(r'"([^"]*)"', answer)
    return match[1] if match else ""


def stored(lines: Sequence[str]) -> Iterator[tuple[int, bytes]]:
    """The messages that +CMGL lists in PDU mode: each one's place and octets; of one that is no hexadecimal number,
    or not there, no octets."""
    place: int | None = None
    for line in lines:
        if line.upper().startswith("+CMGL:"):
            if place is not None:
                yield place, b""
            first = line[6:].partition(",")[0].strip()
            place = int(first) if first.isdecimal() and len(first) < 6 else None
        elif place is not None:
            yield place, octets_of(line)
            place = None
    if place is not None:
        yield place, b""


def octets_of(line: str) -> bytes:
    """The octets of a line of hexadecimal digits; none where it is no such line."""
    try:
        return bytes.fromhex(line)
    except ValueError:
        return b""
