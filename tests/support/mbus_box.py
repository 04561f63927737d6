"""A made-up box with M-Bus lines: a real configuration file, gateways that stand as they are told, searches that go on
until they are ended, and a meter that says a telegram and does what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, fail, succeed

from concentrator.actions.devices import device_actions
from concentrator.actions.gateways import GatewayState, gateway_actions
from concentrator.actions.mbus import mbus_actions, reset_action, set_address_action, set_speed_action
from concentrator.api import LineState
from concentrator.app.mbus_told import told
from concentrator.mbusgate.life import CONNECTED
from concentrator.mbusgate.statistics import Statistics, serial_as_shown
from concentrator.model.errors import Unknown
from concentrator.wire.mbus_frame import Frame
from concentrator.wire.mbus_record import decoded
from tests.support.config_box import ConfigBox

TEXT = """# Ours
[box]
state_dir = "state"

[line.heat]
endpoint = "serial:/dev/ttyUSB0:baudrate=2400"   # the heat meters
role = "mbus"

[line.far]
endpoint = "tcp:192.168.4.30:10001"
role = "mbus"

[mbus_gateway.main]
line = "heat"
"""
COUNTS = Statistics(
    completed_accepts=4, disconnects=3, dropped_accepts=2, denied=1, connection_time_s=93_784, from_serial=12_480
)
TELEGRAM = Frame(0x08, 1, 0x72, bytes.fromhex("78563412 2D2C 08 04 2A 14 0000 8C 10 06 39050000 0F 0102"))
"""Of a heat meter whose power is low."""


class MbusBox(ConfigBox):
    """`states` are the gateways; `thrown_out` names those whose client was; `asked` has each search, read and added
    device; `said` is what a meter says, or the error with which reading it fails."""

    def __init__(self, folder: Path, text: str = TEXT) -> None:
        super().__init__(folder, text)
        self.lines = [
            LineState("heat", "serial:/dev/ttyUSB0:baudrate=2400", True, role="mbus"),
            LineState("far", "tcp:192.168.4.30:10001", True, role="mbus"),
            LineState("native", "serial:/dev/ttyUSB1:baudrate=9600", True, role="native"),
        ]
        serial = serial_as_shown(None, (0, 7), (12_480, 940))
        self.states = [
            GatewayState(
                "main",
                "heat",
                ["tcp:10001"],
                CONNECTED,
                "192.168.1.20",
                statistics=COUNTS.as_shown(93_784),
                serial=serial,
            )
        ]
        self.thrown_out: list[str] = []
        self.asked: list[Any] = []
        self.works: list[Deferred[object]] = []
        self.said: Any = told([decoded(TELEGRAM)])
        self.refused: Exception | None = None
        for action in (
            *gateway_actions(lambda: self.states, self._throw_out),
            *mbus_actions(self.tasks, lambda line: None, self._search, self._read),
            set_address_action(lambda line: None, self._move),
            reset_action(lambda line: None, self._reset),
            set_speed_action(self.tasks, lambda line: None, self._spur),
            *device_actions(self, lambda uid: {"uid": uid}, lambda *place: succeed({})),
        ):
            self.table.register(action)

    def stand(self, standing: str, **others: Any) -> None:
        """Has the gateway stand otherwise."""
        self.states = [evolve(self.states[0], standing=standing, **others)]

    def add(self, uid: str, section: Mapping[str, Any]) -> None:
        if self.refused is not None:
            raise self.refused
        self.asked.append((uid, section))

    def taken(self, *place: Any, besides: str = "") -> str:
        return ""

    def _throw_out(self, name: str) -> None:
        if name not in [state.name for state in self.states]:
            raise Unknown(f"M-Bus gateway {name}")
        self.thrown_out.append(name)

    def _search(self, line: str, is_primary: bool, mask: Any, tell: Any) -> Deferred[object]:
        self.asked.append((line, is_primary, str(mask)))
        self.works.append(Deferred())
        return self.works[-1]

    def _move(self, line: str, place: Any, primary: int) -> Deferred[object]:
        self.asked.append((line, str(place.selected or place.primary), primary))
        return self._told({"uid": "flat", "address": "", "primary": primary})

    def _reset(self, line: str, place: Any) -> Deferred[object]:
        self.asked.append((line, str(place.selected or place.primary), "reset"))
        return self._told({"uid": "flat"})

    def _spur(self, line: str, baudrate: int, caller: Any, tell: Any) -> Deferred[object]:
        self.asked.append((line, baudrate))
        tell(0.25, "flat is told")
        self.works.append(Deferred())
        return self.works[-1]

    def _told(self, done: dict[str, object]) -> Deferred[object]:
        return fail(self.said) if isinstance(self.said, Exception) else succeed(done)

    def _read(self, line: str, place: Any) -> Deferred[object]:
        self.asked.append((line, str(place.selected or place.primary)))
        return fail(self.said) if isinstance(self.said, Exception) else succeed(self.said)


def found(address: str = "12345678-KAM-08-04", **others: Any) -> dict[str, Any]:
    """A find of a search."""
    known = {
        "primary": None,
        "manufacturer": "KAM",
        "version": 8,
        "medium": "heat (outlet)",
        "known": "",
        "trouble": "",
    }
    return {"address": address} | known | others
