"""What can be asked of the lines of a running box, put together over the field: traces, statistics, scans and the tasks
that these are. Hides how much of a line a scan may take while it is polled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from concentrator.actions.scanning import POLLING, scanning_actions
from concentrator.actions.table import Action
from concentrator.actions.tasks import Tasks, Tell, task_actions
from concentrator.actions.tracing import Exchanged, Traces, tracing_actions
from concentrator.api import DeviceState, LineState
from concentrator.dialect.modbus import dialects
from concentrator.line.line import Line
from concentrator.model.device import Device
from concentrator.model.profile import DeviceProfile
from concentrator.poll.scan import TIMEOUT_S, Found, Scan
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.recognise import recognisable

SHARE = 0.2
"""The share of a polled line that a scan takes at most: a round of 33 meters grows from 7 s to 9 s meanwhile."""


class Owner(Protocol):
    """A device that has a Modbus ID."""

    @property
    def device(self) -> Device:
        """As it is configured."""

    @property
    def profile(self) -> DeviceProfile:
        """What kind it is."""


class Lines(Protocol):
    """What this needs of the field."""

    def line(self, name: str) -> Line:
        """A line."""

    def protocol(self, name: str) -> str:
        """What is spoken on it."""

    def traced(self, name: str) -> Sequence[Exchanged]:
        """Its last exchanges."""

    def at(self, name: str) -> Mapping[int, Owner]:
        """Its devices by Modbus ID."""

    def line_states(self) -> Sequence[LineState]:
        """What people see of each line."""

    def device_states(self) -> Sequence[DeviceState]:
        """What people see of each device."""


def traces_of(field: Lines) -> Traces:
    """The traces of the field's lines."""
    return Traces(
        field.line_states,
        field.traced,
        lambda line: {unit: (known.device.uid, known.profile) for unit, known in field.at(line).items()},
    )


def bus_actions(field: Lines, catalogue: Catalogue, tasks: Tasks, traces: Traces) -> Iterable[Action]:
    """Everything that can be asked of the lines; `catalogue` has the profiles that a scan recognises."""

    def use(line: str) -> str:
        suspended = traces.state(line).suspended
        return suspended or (POLLING if field.at(line) else "")

    yield from tracing_actions(traces)
    yield from task_actions(tasks)
    yield from scanning_actions(tasks, use, partial(_scan, field, catalogue))


def _scan(field: Lines, catalogue: Catalogue, name: str, units: range, is_beside: bool, tell: Tell) -> Deferred[object]:
    line, dialect = field.line(name), dialects()[field.protocol(name)]
    rest_s = TIMEOUT_S * (1 / SHARE - 1) if is_beside else 0.0
    scan = Scan(
        line.run,
        dialect.framing(),
        lambda profile, unit: dialect.station(profile, unit, {}),
        recognisable(catalogue),
        lambda done, text, found: tell(done, text, _listed(found)),
        there=[_found(state, field.at(name)) for state in field.device_states() if _is_at(state, name)],
        rest=lambda: deferLater(line.clock, rest_s),
    )
    return scan.over(units).addCallback(_listed)


def _is_at(state: DeviceState, line: str) -> bool:
    return state.line == line and state.secondary is None


def _found(state: DeviceState, known: Mapping[int, Owner]) -> Found:
    """A device that is polled, as a scan tells of it."""
    profile = known[state.address].profile.key
    return Found(
        state.address, state.health, (profile,), state.serial, state.model, state.firmware, state.uid, state.trouble
    )


def _listed(found: Sequence[Found]) -> list[dict[str, object]]:
    return [each.as_json() for each in found]
