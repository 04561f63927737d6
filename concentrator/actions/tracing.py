"""What is known of a line that somebody has to find a fault on: its state with the counters of every station, the last
exchanges on its wire, and these as evidence for a profile file. Hides whose Modbus ID is which device's, and that the
words for what was on the wire are loaded when somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from attrs import asdict, frozen

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission
from concentrator.api import LineState
from concentrator.model.errors import Unknown
from concentrator.model.profile import DeviceProfile
from concentrator.model.words import hint

MOST = 1000


class Exchanged(Protocol):
    """One exchange as a line keeps it, its times made UTC seconds."""

    @property
    def began(self) -> float:
        """When its first byte went out."""

    @property
    def ended(self) -> float:
        """When its last byte was on the wire."""

    @property
    def station(self) -> Hashable:
        """The Modbus ID that was asked."""

    @property
    def request(self) -> bytes:
        """What went out."""

    @property
    def received(self) -> bytes:
        """What came in."""

    @property
    def verdict(self) -> str:
        """Empty for a good one, else the error's sentence."""


Owners = Mapping[int | str, tuple[str, DeviceProfile]]
"""Modbus ID → the short id of the device that has it, and its profile."""


@frozen
class Told:
    """An exchange for people: `at` (UTC seconds) and how long it took, the Modbus ID and the short id of the device
    that has it, if any, what was `asked` in words, the frames, and the verdict: empty for a good one."""

    at: float
    took_s: float
    station: str
    device: str
    asked: str
    request: bytes
    received: bytes
    verdict: str

    def as_json(self) -> dict[str, object]:
        """The same as every caller outside is told of it: frames in hexadecimal, milliseconds."""
        return {
            "at": datetime.fromtimestamp(self.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "took_ms": round(self.took_s * 1000, 1),
            "station": self.station,
            "device": self.device,
            "asked": self.asked,
            "request": self.request.hex(" ").upper(),
            "received": self.received.hex(" ").upper(),
            "verdict": self.verdict,
        }


@frozen
class Traces:
    """The traces of all lines, over callables that give the states of now: `lines`; `traced(line)`, oldest first;
    `owners(line)`."""

    lines: Callable[[], Sequence[LineState]] = lambda: ()
    traced: Callable[[str], Iterable[Exchanged]] = lambda _: ()
    owners: Callable[[str], Owners] = lambda _: {}

    def state(self, line: str) -> LineState:
        """A line's state; Unknown where there is no such line."""
        states = {state.name: state for state in self.lines()}
        if line not in states:
            raise Unknown(f"line {line}{hint(line, states)}")
        return states[line]

    def devices(self, line: str) -> dict[str, str]:
        """Modbus ID → the device that has it."""
        return {str(station): uid for station, (uid, _) in self.owners(line).items()}

    def told(self, line: str, last: int = 0) -> list[Told]:
        """The last exchanges of a line (0: all that are kept), oldest first. Raises Unknown."""
        from concentrator.wire import mbus_words
        from concentrator.wire.modbus_words import asked

        owners = self.devices(line)
        return [
            Told(
                each.began,
                each.ended - each.began,
                str(each.station),
                owners.get(str(each.station), ""),
                asked(each.request) or mbus_words.asked(each.request),
                each.request,
                each.received,
                each.verdict,
            )
            for each in self._exchanges(line, last)
        ]

    def evidence(self, line: str, last: int = 0) -> str:
        """The reads among the last exchanges (0: all that are kept) as TOML for a profile file: of each request the
        newest that was answered, with the values its device's profile makes of it. Raises Unknown."""
        from concentrator.profile.evidence import as_toml, evidence_of
        from concentrator.wire.modbus_words import exchanges_of, frame_of

        owners = {str(station): owner for station, owner in self.owners(line).items()}
        good = (each for each in self._exchanges(line, last) if not each.verdict)
        # Whole requests differ by a number where there is one.
        newest = {
            frame_of(request): (each, request, received)
            for each in good
            for request, received in exchanges_of(each.request, each.received)
        }
        pieces: dict[str, list[str]] = {}
        for each, request, received in newest.values():
            if str(each.station) in owners:
                _, profile = owners[str(each.station)]
                at = datetime.fromtimestamp(each.began, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                source = f"captured on {at}, line {line}, Modbus ID {each.station}"
                found = evidence_of(profile, request, received, source)
                if found is not None:
                    pieces.setdefault(profile.key, []).append(as_toml([found]))
        return "\n".join("\n".join([f"# {key}.toml\n", *texts]) for key, texts in pieces.items())

    def _exchanges(self, line: str, last: int) -> list[Exchanged]:
        self.state(line)
        return list(self.traced(line))[-last:]


def tracing_actions(traces: Traces) -> Iterable[Action]:
    """`line.get`, `line.trace` and `line.evidence`."""
    line = Argument("line", Kind.TEXT, "the line's name: the key of its section in the configuration", least=1)
    last = Argument(
        "last", Kind.INTEGER, "how many exchanges, the newest; 0: all that are kept", False, 0, least=0, most=MOST
    )

    def get(line: str) -> dict[str, object]:
        return asdict(traces.state(line)) | {"devices": traces.devices(line)}

    return (
        Action(
            "line.get",
            "One line with the counters of each of its Modbus IDs, and which device has which.",
            Permission.READ,
            (line,),
            get,
        ),
        Action(
            "line.trace",
            "The last exchanges on a line's wire: when, with whom, what was asked, the bytes, how it went.",
            Permission.READ,
            (line, last),
            lambda line, last: [each.as_json() for each in traces.told(line, last)],
        ),
        Action(
            "line.evidence",
            "The same as pieces of evidence for the profile files of its devices, in TOML.",
            Permission.READ,
            (line, last),
            lambda line, last: {"toml": traces.evidence(line, last)},
        ),
    )
