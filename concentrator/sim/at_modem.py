"""A simulated modem that speaks AT: a SIM with room for some messages, a network that is found after a while and keeps
what the SIM has no room for, and what goes wrong with either. Pure: bytes and moments are handed in, and nothing
happens by itself."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator

from attrs import define, field, frozen

from concentrator.model.errors import Garbled
from concentrator.wire.sms_parts import Parts
from concentrator.wire.sms_pdu import Deliver, StatusReport, length_of, parse_submit
from concentrator.wire.sms_text import parts, read

_CTRL_Z, _ESC = 0x1A, 0x1B
_NO_SIM, _NOT_UNDERSTOOD, _NO_SUCH_PLACE, _NO_NETWORK = 10, 304, 321, 331  # 3GPP TS 27.005, 3.2.5; 27.007, 9.2
DELIVERED, NOT_DELIVERED = 0x00, 0x46
"""Statuses of reports: received by the telephone; its validity ended (3GPP TS 23.040, 9.2.3.15)."""


@frozen
class Sent:
    """A message that the network took, put together from its parts: to whom, and what it says."""

    number: str
    text: str


@define
class Ways:
    """How the modem behaves. `registers_after_s` from when it is first asked; `pin`: what +CPIN answers, empty for no
    SIM; `places` on the SIM; `lump`: bytes it says at a time (0: all at once), `pause_s` between two; `status`: what
    reports say; `is_silent`: it answers nothing; `refuses`: commands it does not have; `is_away`: there is no
    network."""

    is_echoing: bool = True
    registers_after_s: float = 0.0
    pin: str = "READY"
    places: int = 20
    lump: int = 0
    pause_s: float = 0.01
    answers_after_s: float = 0.01
    sends_in_s: float = 0.5
    reports_after_s: float = 1.0
    status: int = DELIVERED
    is_silent: bool = False
    refuses: tuple[str, ...] = ()
    is_away: bool = False


@define(eq=False)
class AtModem:
    """A modem. `on_sent` hears of every whole message; `wall_s` is the UTC time at moment 0, for time stamps."""

    ways: Ways = field(factory=Ways)
    on_sent: Callable[[Sent], None] = field(default=lambda sent: None)
    wall_s: float = 1_800_000_000.0
    errors: deque[int] = field(factory=deque, init=False)
    """Codes of +CMS ERROR that the next messages get, 0 for one that is sent."""
    sent: list[Sent] = field(factory=list, init=False)
    asked: list[str] = field(factory=list, init=False)
    """The commands it was given."""
    sim: dict[int, bytes] = field(factory=dict, init=False)
    network: deque[bytes] = field(factory=deque, init=False)
    """What waits in the network for room on the SIM."""
    _said: deque[tuple[float, bytes]] = field(factory=deque, init=False)
    _begun: bytearray = field(factory=bytearray, init=False)
    _awaits_body: bool = field(default=False, init=False)
    _first_asked: float | None = field(default=None, init=False)
    _announces: bool = field(default=False, init=False)
    _reports: bool = field(default=False, init=False)
    _reference: int = field(default=0, init=False)
    _parts: Parts = field(factory=Parts, init=False)

    def take(self, data: bytes, now: float) -> None:
        """The computer says this."""
        for byte in data:
            if self.ways.is_echoing and not self.ways.is_silent and byte not in (_CTRL_Z, _ESC):
                self._say(now, bytes((byte,)), after_s=0.0)
            if self._awaits_body and byte in (_CTRL_Z, _ESC):
                body, self._begun, self._awaits_body = bytes(self._begun), bytearray(), False
                if byte == _CTRL_Z:
                    self._submitted(body, now)
                else:
                    self._answer(now)
            elif byte == _ESC:
                self._begun.clear()
            elif not self._awaits_body and byte == ord("\r"):
                command, self._begun = self._begun.decode("ascii", "replace").strip(), bytearray()
                self._asked_for(command, now)
            else:
                self._begun.append(byte)

    def give(self, now: float) -> bytes:
        """What it says until now."""
        out = b""
        while self._said and self._said[0][0] <= now:
            out += self._said.popleft()[1]
        return out

    def wake_at(self) -> float | None:
        """When it says something next."""
        return self._said[0][0] if self._said else None

    def receive(self, sender: str, text: str, now: float, sent_at: float | None = None) -> None:
        """Somebody sends it a message; the time stamp is that of now where none is given."""
        stamp = self.wall_s + now if sent_at is None else sent_at
        for part in parts(text, self._next_reference()):
            self.network.append(Deliver(sender, stamp, part).written())
        self._store(now)

    def say(self, line: str, now: float) -> None:
        """It says a line that nobody asked for."""
        self._say(now, f"\r\n{line}\r\n".encode(), after_s=0.0)

    def _store(self, now: float) -> None:
        while self.network and len(self.sim) < self.ways.places:
            place = next(number for number in range(1, self.ways.places + 1) if number not in self.sim)
            self.sim[place] = self.network.popleft()
            if self._announces:
                self.say(f'+CMTI: "SM",{place}', now)

    def _asked_for(self, command: str, now: float) -> None:
        if not command.upper().startswith("AT"):
            return
        self.asked.append(command)
        if self.ways.is_silent:
            return
        name = command[2:].upper()
        if any(name.startswith(each) for each in self.ways.refuses):
            self._answer(now, error="ERROR")
            return
        for begin, act in _COMMANDS.items():
            if name.startswith(begin):
                act(self, name[len(begin) :], now)
                return
        self._answer(now, error="" if name == "" else "ERROR")

    # -- commands

    def _echo(self, rest: str, now: float) -> None:
        self.ways.is_echoing = rest != "0"
        self._answer(now)

    def _plain(self, rest: str, now: float) -> None:
        self._answer(now)

    def _pin(self, rest: str, now: float) -> None:
        if self.ways.pin:
            self._answer(now, f"+CPIN: {self.ways.pin}")
        else:
            self._answer(now, error=f"+CME ERROR: {_NO_SIM}")

    def _announce(self, rest: str, now: float) -> None:
        fields = rest.split(",")
        self._announces = fields[1:2] == ["1"]
        self._reports = fields[3:4] == ["1"]
        self._answer(now)

    def _registration(self, rest: str, now: float) -> None:
        self._answer(now, f"+CREG: 0,{1 if self._is_registered(now) else 2}")

    def _registration_4g(self, rest: str, now: float) -> None:
        self._answer(now, f"+CEREG: 0,{5 if self._is_registered(now) else 2}")

    def _operator(self, rest: str, now: float) -> None:
        self._answer(now, '+COPS: 0,0,"Simulated",7' if self._is_registered(now) else "+COPS: 0")

    def _signal(self, rest: str, now: float) -> None:
        self._answer(now, "+CSQ: 18,99" if self._is_registered(now) else "+CSQ: 99,99")

    def _list(self, rest: str, now: float) -> None:
        listed = (
            f"+CMGL: {place},0,,{length_of(pdu) if pdu else 0}\r\n{pdu.hex().upper()}"
            for place, pdu in self.sim.items()
        )
        self._answer(now, *listed)

    def _delete(self, rest: str, now: float) -> None:
        place = int(rest) if rest.isdecimal() else 0
        if self.sim.pop(place, None) is None:
            self._answer(now, error=f"+CMS ERROR: {_NO_SUCH_PLACE}")
            return
        self._answer(now)
        self._store(now)

    def _send(self, rest: str, now: float) -> None:
        self._awaits_body = True
        self._say(now, b"\r\n> ")

    def _submitted(self, body: bytes, now: float) -> None:
        error = self.errors.popleft() if self.errors else 0
        if not self._is_registered(now):
            error = error or _NO_NETWORK
        try:
            submit = parse_submit(bytes.fromhex(body.decode("ascii", "replace").strip()))
            text, portion = read(submit.text)
        except (ValueError, Garbled):
            error = _NOT_UNDERSTOOD
        after_s = self.ways.sends_in_s
        if error:
            self._answer(now, error=f"+CMS ERROR: {error}", after_s=after_s)
            return
        reference = self._next_reference()
        self._answer(now, f"+CMGS: {reference}", after_s=after_s)
        whole = self._parts.joined(submit.number, portion, text, now)
        if whole is not None:
            self.sent.append(Sent(submit.number, whole))
            self.on_sent(self.sent[-1])
        if self._reports and submit.wants_report:
            report = StatusReport(reference, submit.number, self.ways.status).written(self.wall_s + now)
            line = f"\r\n+CDS: {length_of(report)}\r\n{report.hex().upper()}\r\n".encode()
            self._say(now, line, after_s=after_s + self.ways.reports_after_s)

    # -- parts of the above

    def _is_registered(self, now: float) -> bool:
        if self._first_asked is None:
            self._first_asked = now
        return not self.ways.is_away and now - self._first_asked >= self.ways.registers_after_s

    def _next_reference(self) -> int:
        self._reference = self._reference % 255 + 1
        return self._reference

    def _answer(self, now: float, *lines: str, error: str = "", after_s: float | None = None) -> None:
        said = "".join(f"\r\n{line}\r\n" for line in (*lines, error or "OK"))
        self._say(now, said.encode(), self.ways.answers_after_s if after_s is None else after_s)

    def _say(self, now: float, data: bytes, after_s: float | None = None) -> None:
        """In its turn: nothing overtakes what was said before it."""
        at = now + (self.ways.answers_after_s if after_s is None else after_s)
        at = max(at, self._said[-1][0] if self._said else at)
        for lump in _lumps(data, self.ways.lump):
            self._said.append((at, lump))
            at += self.ways.pause_s if self.ways.lump else 0.0


def _lumps(data: bytes, size: int) -> Iterator[bytes]:
    step = size or len(data)
    return (data[start : start + step] for start in range(0, len(data), step))


_COMMANDS: dict[str, Callable[[AtModem, str, float], None]] = {
    "E": AtModem._echo,
    "+CMEE=": AtModem._plain,
    "+CPIN?": AtModem._pin,
    "+CMGF=0": AtModem._plain,
    "+CSCA=": AtModem._plain,
    "+CPMS=": AtModem._plain,
    "+CNMI=": AtModem._announce,
    "+CREG?": AtModem._registration,
    "+CEREG?": AtModem._registration_4g,
    "+COPS?": AtModem._operator,
    "+CSQ": AtModem._signal,
    "+CMGL=4": AtModem._list,
    "+CMGD=": AtModem._delete,
    "+CMGS=": AtModem._send,
}


def obey(modem: AtModem, line: str, now: float) -> str:
    """Has the modem, or its network, do what a line of text says; gives what is wrong with the line, empty where
    nothing is.

        receive NUMBER TEXT    somebody sends it a message
        error CODE             the next message gets that +CMS ERROR
        away, back             the network goes and comes
        silent, awake          it answers nothing; it answers again
        say LINE               it says a line that nobody asked for
    """
    if match := re.fullmatch(r"receive (\+?[0-9]{3,20}) (.+)", line):
        modem.receive(match[1], match[2], now)
    elif match := re.fullmatch(r"error ([0-9]{1,3})", line):
        modem.errors.append(int(match[1]))
    elif line in ("away", "back"):
        modem.ways.is_away = line == "away"
    elif line in ("silent", "awake"):
        modem.ways.is_silent = line == "silent"
    elif match := re.fullmatch(r"say (.+)", line):
        modem.say(match[1], now)
    else:
        return "expected receive NUMBER TEXT, error CODE, away, back, silent, awake or say LINE"
    return ""
