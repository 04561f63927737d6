"""A SmartGen cloud server, played: what it answers a modem on its connections, and how it errs. `CloudServer` is all
that outlives a connection, `CloudTalk` one of them; neither touches a socket.

A strict server hands each segment to a parser by itself: a message cut in two, or two in one segment, are faults of the
modem's. What it says is sound. Each of MANNERS adds one way in which SmartGen's documents contradict themselves, or in
which servers in the field were seen to do so; a sloppy server has them all.

Sources: SmartGen CMM365-4G communication protocol V1.0, in Chinese and English; the servers' ways as the reader in
`wire.smartgen_json` has them.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import define, field

from concentrator.model.errors import WireError
from concentrator.wire.smartgen import (
    Changes,
    FullSet,
    Heartbeat,
    Inputs,
    Login,
    LongCon,
    ResetTaken,
    Saying,
    Timing,
    Written,
    from_device,
)
from concentrator.wire.smartgen_fields import Wiring
from concentrator.wire.smartgen_json import written
from concentrator.wire.smartgen_server import Acknowledged, LoginAnswer, Order, Reset, TimeTold, WriteConfig

MOST_HEARD = 10_000
"""How many messages a server remembers, the newest."""

Message = dict[str, Any]


def _capitals(message: Message) -> Message:
    """Keys in capitals, as tables 4 and 13 print them."""
    return {
        key[:1].upper() + key[1:]: _capitals(value) if isinstance(value, dict) else value
        for key, value in message.items()
    }


def _texts(message: Message) -> Message:
    """Numbers as texts (table 13: datatype is a String)."""
    return {
        key: _texts(value) if isinstance(value, dict) else str(value) if type(value) is int else value
        for key, value in message.items()
    }


def _more(message: Message) -> Message:
    """Keys nobody knows, among them those of table 20."""
    return {**message, "packetnum": 1, "reset_packet_num": None, "x": {"y": []}}


def _nameless(message: Message) -> Message:
    """An answer to the time without a method, as one page of the document has it."""
    return {key: value for key, value in message.items() if key != "method" or message["method"] != "timing"}


def _blanks(message: Message) -> Message:
    """Blanks behind names and between commands, and a command twice."""
    result = message.get("result")
    if isinstance(result, dict) and result.get("para_command"):
        commands = str(result["para_command"])
        result = {**result, "para_command": f" {commands.replace(';', ' ; ')}; {commands}; 0103000000FFFFFF;"}
        message = {**message, "result": result}
    return {**message, "method": f"{message['method']}  "} if "method" in message else message


def _seconds(message: Message) -> Message:
    """Rates in seconds, where the document has milliseconds."""
    result = message.get("result")
    if not isinstance(result, dict):
        return message
    rates = {name: result[name] / 1000 for name in ("online_rate", "offline_rate") if name in result}
    return {**message, "result": {**result, **rates}}


def _utc(message: Message) -> Message:
    """The time of a login as the word the example has for it."""
    result = message.get("result")
    return {**message, "result": {**result, "realTime": "UTC"}} if isinstance(result, dict) else message


def _no_live(message: Message) -> Message:
    """Nowhere for live data to go."""
    result = message.get("result")
    return {**message, "result": {**result, "liveData": ""}} if isinstance(result, dict) else message


def _commas(text: str) -> str:
    """A comma before the last bracket, and none before the return code."""
    return re.sub(r"\}$", ",}", text).replace(',"retcode"', '"retcode"')


def _colon(text: str) -> str:
    """No colon behind "method" (001, 4.4)."""
    return text.replace('"method":', '"method" ', 1)


def _closers(text: str) -> str:
    """A list closed by the bracket of an object (002, 4.5)."""
    return text[:-1] + ',"params":{"03":[{"0000":"0805"}}}}'


def _extra(text: str) -> str:
    """A comma behind the message, as between the examples."""
    return text + ","


ON_MESSAGES: Mapping[str, Callable[[Message], Message]] = {
    "nameless": _nameless,
    "seconds": _seconds,
    "utc": _utc,
    "no_live": _no_live,
    "blanks": _blanks,
    "more": _more,
    "texts": _texts,
    "capitals": _capitals,
}
ON_TEXTS: Mapping[str, Callable[[str], str]] = {
    "colon": _colon,
    "closers": _closers,
    "commas": _commas,
    "extra": _extra,
}
ON_SEGMENTS = ("dribble", "glued")
MANNERS = (*ON_MESSAGES, *ON_TEXTS, *ON_SEGMENTS)
"""The ways to err: of what is said, of how it is written, and of how it is cut into segments (`dribble`: byte by byte;
`glued`: with what the server says next, and line ends and zeros between)."""


@define
class CloudServer:
    """What it answers to a login (`answer`; a modem with another `password` than the right one is refused where there
    is one), its time, its `manners`, whether it answers at all, and what it `heard`, in order; `faults` are the
    segments that were no message."""

    answer: LoginAnswer = field(factory=LoginAnswer)
    now: Callable[[], float] = lambda: 1497811080.077
    manners: frozenset[str] = frozenset()
    password: str = field(default="", repr=False)
    is_silent: bool = False
    can_deflate: bool = False
    heard: list[Saying] = field(factory=list)
    faults: list[bytes] = field(factory=list)
    values: dict[str, dict[tuple[int, int], int]] = field(factory=dict)
    """What it knows of each modem's controller: word by function and address; bits by their first one of eight."""
    on_heard: Callable[[Saying], None] = lambda message: None

    def talk(self) -> CloudTalk:
        """One more connection."""
        return CloudTalk(self)

    def segments(self, order: Order) -> list[bytes]:
        """How it says something."""
        message: Message = json.loads(order.written())
        for name, err in ON_MESSAGES.items():
            if name in self.manners:
                message = err(message)
        text = written(message).decode()
        for name, misprint in ON_TEXTS.items():
            if name in self.manners:
                text = misprint(text)
        if "glued" in self.manners:
            text = f"\r\n\0{text}\n;"
        segment = text.encode()
        return [segment[at : at + 1] for at in range(len(segment))] if "dribble" in self.manners else [segment]

    def said(self, *kinds: type[Any]) -> list[Any]:
        """The messages of some kinds, in order."""
        return [message for message in self.heard if isinstance(message, kinds)]

    def take(self, message: Saying) -> None:
        """Notes a message, and what it says of the controller."""
        self.heard.append(message)
        del self.heard[:-MOST_HEARD]
        if isinstance(message, Changes):
            known = self.values.setdefault(message.hostid, {})
            for run in message.runs:
                size, step = (1, 8) if run.function in (1, 2) else (2, 1)
                for place in range(0, len(run.content), size):
                    word = int.from_bytes(run.content[place : place + size])
                    known[run.function, run.address + place // size * step] = word
        self.on_heard(message)

    def answers(self, message: Saying) -> Iterator[Order]:
        """What it says to that."""
        match message:
            case Login() if self.password and message.password != self.password:
                yield LoginAnswer(False, code="000002", message="wrong password")
            case Login():
                yield self.answer
            case LongCon():
                yield Acknowledged("longcon")
            case Heartbeat():
                yield Acknowledged("hb")
            case FullSet() | Changes():
                yield Acknowledged("reqdata")
            case Timing():
                yield TimeTold(self.now())


@define(eq=False)
class CloudTalk:
    """One connection, from the server's side: what is heard is a segment each, what is given are segments to send."""

    server: CloudServer
    hostid: str = ""
    """Whose long connection it is; empty: it is none."""
    _inflate: Any = None
    _is_begun: bool = False

    def heard(self, segment: bytes) -> list[bytes]:
        """The modem said that."""
        if not self._is_begun and self.server.can_deflate and segment[:1] == b"\x78":
            self._inflate = zlib.decompressobj()
        self._is_begun = True
        try:
            plain = segment if self._inflate is None else self._inflate.decompress(segment, 1 << 20)
            message = from_device(json.loads(plain.decode()))
        except (ValueError, zlib.error, WireError):
            self.server.faults.append(segment)
            return []
        if isinstance(message, LongCon):
            self.hostid = message.hostid
        self.server.take(message)
        if self.server.is_silent:
            return []
        return [each for order in self.server.answers(message) for each in self.server.segments(order)]

    def write(self, command: str, uid: Any = "1") -> list[bytes]:
        """Wants a Modbus command carried out, given in hex as it is to be sent."""
        return self.server.segments(WriteConfig(command, uid=uid))

    def says(self, order: Order) -> list[bytes]:
        """Wants something else."""
        return self.server.segments(order)


def told(message: Saying) -> dict[str, object]:
    """A message for people: its name, and what it says."""
    found: dict[str, object] = {"said": type(message).__name__, "hostid": message.hostid}
    match message:
        case Login():
            found |= {"name": message.hostname, "model": message.module_type, **message.wiring.fields()}
            found |= message.location.fields() if message.location else {}
        case FullSet():
            found |= {"frames": [each.hex() for each in message.frames], "time": message.time_s}
        case Changes():
            found |= {"runs": [f"{run.function:02}:{run.address:04X}={run.content.hex()}" for run in message.runs]}
            found |= message.inputs.fields() if message.inputs != Inputs() else {}
        case Written():
            found |= {"command": message.command, "done": message.is_done, "uid": message.uid}
            found |= message.wiring.fields() if message.wiring else {}
        case ResetTaken() | LongCon() | Heartbeat() | Timing():
            pass
    return found


def order_of(line: str) -> Order:
    """What a line of text has a server say: `write HEX` (a whole frame), `rewire PORT BAUD` (their numbers) or `reset`.
    Raises ValueError for anything else."""
    match line.split():
        case ["write", *hex_] if hex_:
            return WriteConfig("".join(hex_), uid="sim")
        case ["rewire", port, baud]:
            return WriteConfig(wiring=Wiring(int(port), int(baud)), uid="sim")
        case ["reset"]:
            return Reset()
    raise ValueError(f"found {line!r}, expected write HEX, rewire PORT BAUD or reset")
