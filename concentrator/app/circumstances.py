"""What the lights of a CMM365 and the outputs with functions depend on, gathered from the parts of a box: the lines and
who is on them, the sessions with servers, gensets, inputs. Only loaded where something depends on it. Hides which line
counts as what, and that talk which stumbles is not talk which fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from concentrator.api import UplinkState
from concentrator.app.config_sections import Config
from concentrator.model.genset import Alarm
from concentrator.panel.cmm365 import Standing
from concentrator.panel.functions import ALARMS, Circumstances, InputFunction, Traffic, traffic
from concentrator.panel.inputs import Inputs

if TYPE_CHECKING:
    from concentrator.app.front import Sources
    from concentrator.app.wires import Wire

FAILS_AFTER_S = 10.0
"""How long talk must fail before an output is on for it; lights say it at once."""
_ROLES = ("native", "external")
_ALARMED = (Alarm.WARNING, Alarm.TRIP, Alarm.SHUTDOWN)


@define(eq=False)
class Outlook:
    """What is around the front of a box. `sessions`: of each cloud session that was heard of, whether it is logged in
    and online."""

    _clock: IReactorTime
    _inputs: Inputs
    _sources: Sources
    _wires: Callable[[], Mapping[str, Wire]]
    _uplinks: Callable[[], Sequence[UplinkState]]
    _sessions: Mapping[str, tuple[bool, bool]]
    _failing_since: dict[str, float] = field(factory=dict, init=False)

    def standing(self, config: Config) -> Standing:
        """What the lights are about."""
        sessions = self._ways_out(config)
        return Standing(
            rs485=self._traffic(config, "rs485"),
            link=self._traffic(config, "link"),
            is_slave_asked=self._sources.is_slave_asked(),
            is_alarmed=self.is_alarmed(),
            sessions=len(sessions),
            logged_in=sum(is_logged_in for is_logged_in, _ in sessions),
            online=sum(is_online for _, is_online in sessions),
            has_sim=self._sources.has_sim(),
        )

    def circumstances(self, config: Config, *, is_commanded: bool) -> Circumstances:
        """What outputs depend on."""
        return Circumstances(
            inputs=[state.is_active for state in self._inputs.states()],
            is_rs485_failing=self._fails(config, "rs485"),
            is_network_failing=self._lasts("network", not all(map(any, self._ways_out(config)))),
            is_link_failing=self._fails(config, "link"),
            is_rs232_failing=self._fails(config, "rs232"),
            is_alarmed=self.is_alarmed(),
            is_commanded=is_commanded,
            is_tested=bool(self._inputs.active(InputFunction.FACTORY_TEST)),
        )

    def is_alarmed(self) -> bool:
        """Whether a genset or an input has an alarm."""
        return bool(self._inputs.active(*ALARMS)) or any(alarm in _ALARMED for alarm in self._sources.gensets())

    def _ways_out(self, config: Config) -> list[tuple[bool, bool]]:
        """Of each session whether it is logged in and online; where none is configured, the uplinks stand for them."""
        wanted = [name for name, each in config.services.get("smartgen", {}).items() if each.enabled]
        if wanted:
            return [self._sessions.get(name, (False, False)) for name in wanted]
        return [(uplink.is_up, uplink.is_up) for uplink in self._uplinks()]

    def _traffic(self, config: Config, port: str) -> Traffic:
        def lines() -> Iterator[tuple[bool, Sequence[str]]]:
            for name, wire in self._wires().items():
                if _port(config, name) == port:
                    is_broken = bool(wire.line.trouble) and not wire.line.is_open
                    yield is_broken, [polled.health.label for polled in wire.poller.polled()]

        return traffic(lines())

    def _fails(self, config: Config, port: str) -> bool:
        return self._lasts(port, self._traffic(config, port) is Traffic.FAILING)

    def _lasts(self, what: str, is_failing: bool) -> bool:
        """Whether something that fails has done so for long enough."""
        if not is_failing:
            self._failing_since.pop(what, None)
            return False
        return self._clock.seconds() - self._failing_since.setdefault(what, self._clock.seconds()) >= FAILS_AFTER_S


def _port(config: Config, name: str) -> str:
    """What a line counts as: link, rs232, rs485, or nothing."""
    line = config.lines.get(name)
    if name in config.panel.link_lines:
        return "link"
    if name in config.panel.rs232_lines:
        return "rs232"
    is_serial = line is not None and line.role in _ROLES and line.protocol == "modbus-rtu"
    return "rs485" if is_serial else ""
