"""The ports of the cloud modem that a session stands for, as lines of the box: which pairs of port and baud rate there
are, and how a controller goes over to one. Hides that a line which others share keeps its speed, that one on which
another device has the controller's Modbus ID is no place for it, and that the operator may move it meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from attrs import evolve

from concentrator.app.cloud_kept import Kept
from concentrator.app.config_sections import LineSection
from concentrator.app.config_smartgen import PORTS, SmartgenSection
from concentrator.app.field import Field, Known
from concentrator.wire.smartgen_fields import BAUD_RATES, Wiring


def at_speed(section: LineSection, baudrate: int) -> LineSection:
    """A serial line's section at another speed."""
    bare = re.sub(r":baudrate=\d+", "", section.endpoint)
    return evolve(section, endpoint=f"{bare}:baudrate={baudrate}")


class LinePorts:
    """The ports of one session. What is found or wanted by the server is kept, and taken up again at the next start."""

    def __init__(self, session: str, section: SmartgenSection, field: Field, kept: Kept) -> None:
        self._session = session
        self._section = section
        self._field = field
        self._kept = kept
        self._is_disabled = section.port == PORTS[0]
        known = self._known()
        self._line = known.device.line if known is not None else ""
        self._put_on = ""
        self._changed: dict[str, tuple[LineSection, LineSection]] = {}

    @property
    def _settings(self) -> str:
        section = self._section
        return f"{self._line} {section.port} {section.baudrate} {section.lines}"

    @property
    def wiring(self) -> Wiring:
        """The pair in force. A line that talks at no baud rate of the modem's counts as one at its first."""
        known = self._known()
        line = known.device.line if known is not None else self._line
        port = next((port for port, name in self._lines().items() if name == line), 0)
        return Wiring(0 if self._is_disabled else port, self._baud_of(line))

    def begin(self) -> None:
        """Takes up what was kept, or what the settings say."""
        kept = self._kept.wiring(self._session, self._settings)
        baudrate = self._section.baudrate
        if kept is not None and self.use(kept):
            return
        if baudrate is not None:
            self.use(Wiring(self.wiring.port, BAUD_RATES.index(baudrate)))

    def pairs(self) -> Sequence[Wiring]:
        """Those at which the controller may be, the one in force first; no two are the same line at the same speed."""
        first = self.wiring
        found = {(self._lines()[pair.port], pair.baud): pair for pair in reversed([first, *self._every()]) if pair.port}
        return tuple(sorted(found.values(), key=lambda pair: (pair != first, pair.port != first.port, pair.baud)))

    def use(self, wiring: Wiring) -> bool:
        """Goes over to a pair; whether there is such a one. On port 0 the controller is left alone."""
        if wiring.port == 0:
            self._is_disabled = True
            return True
        known, line = self._known(), self._lines().get(wiring.port)
        if known is None or line is None or line not in self._field.wires() or not self._is_free_on(line):
            return False
        if self._baud_of(line) != wiring.baud:
            if not self._is_alone_on(line):
                return False
            section = self._field.wires()[line].section
            before, _ = self._changed.get(line, (section, section))
            self._changed[line] = before, (now := at_speed(section, BAUD_RATES[wiring.baud]))
            self._field.set_speed(line, now)
            known = self._known()
        if known is not None and known.device.line != line:
            self._put_on = line
            self._field.put(self._field.made(evolve(known.device, line=line), known.profile))
        self._is_disabled = False
        return True

    def keep(self) -> None:
        """Keeps the pair in force for the next start."""
        self._kept.keep_wiring(self._session, self._settings, self.wiring)

    def restore(self) -> None:
        """Puts everything back to where it was before, but for what somebody else has changed since."""
        changed, self._changed = self._changed, {}
        for name, (before, now) in changed.items():
            wire = self._field.wires().get(name)
            if wire is not None and wire.section is now:
                self._field.set_speed(name, before)
        known = self._known()
        if known is not None and known.device.line == self._put_on != self._line:
            self._field.put(self._field.made(evolve(known.device, line=self._line), known.profile))
        self._is_disabled = self._section.port == PORTS[0]

    def _every(self) -> Iterator[Wiring]:
        for port, line in self._lines().items():
            if not self._is_free_on(line):
                continue
            for baud in range(len(BAUD_RATES)) if self._is_alone_on(line) else (self._baud_of(line),):
                yield Wiring(port, baud)

    def _lines(self) -> dict[int, str]:
        """The lines behind the ports; the configured port is the device's own line, where it names no other."""
        own = PORTS.index(self._section.port)
        named = {port: line for port, line in self._section.lines.items() if line in self._field.wires()}
        known = self._known()
        if known is not None and known.device.line not in (self._line, *named.values()):
            self._line = known.device.line  # the operator has moved it
        if own and own not in named:
            named = {own: self._line, **named}
        elif not own and self._line not in named.values():
            named = {PORTS.index("rs485"): self._line, **named}
        return named

    def _is_alone_on(self, line: str) -> bool:
        """Whether nobody else is on that serial line, whose speed may so be changed."""
        wire = self._field.wires().get(line)
        others = (each for each in self._field.known().values() if each.device.uid != self._section.device)
        is_serial = wire is not None and wire.section.serial_address is not None
        return is_serial and all(each.device.line != line for each in others)

    def _is_free_on(self, line: str) -> bool:
        """Whether no other device has the controller's Modbus ID there: that one would answer in its place, and get
        what is written to it."""
        known = self._known()
        if known is None:
            return True
        there = (each for each in self._field.known().values() if each is not known and each.device.line == line)
        return all(each.device.secondary is not None or each.device.station != known.device.station for each in there)

    def _baud_of(self, line: str) -> int:
        wire = self._field.wires().get(line)
        address = wire.section.serial_address if wire is not None else None
        return BAUD_RATES.index(address.baudrate) if address and address.baudrate in BAUD_RATES else 0

    def _known(self) -> Known | None:
        return self._field.known().get(self._section.device)
