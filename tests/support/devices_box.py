"""A made-up box that devices can be added to: the actions of the Devices pages over states to be changed at will, all
asked of it noted. The catalogue is the real one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, fail, succeed

from concentrator.actions.catalogue import catalogue_actions
from concentrator.actions.linking import link_actions
from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission
from concentrator.actions.tasks import Tasks, task_actions
from concentrator.api import LineState
from concentrator.model.errors import ConcentratorError
from concentrator.model.trouble import Trouble
from concentrator.poll.link_news import LinkStatus
from concentrator.profile.catalogue import Catalogue
from tests.support.web import NOW, FakeBox, device

METER = "0420020117"
SECTION = {
    "line": "native",
    "profile": "energycm/ccm",
    "address": 1,
    "alias": "Main",
    "serial": "",
    "interval": "3 s",
    "allow_write": False,
    "model": "",
    "allow_commands": False,
    "allow_unverified": False,
    "allow_raw": False,
}
CATALOGUE = Catalogue()
_ANY = Kind.VALUE


class Linking:
    """Link mode of the line, which does nothing by itself."""

    def __init__(self) -> None:
        self.state = LinkStatus("native", False, "off", taken=3, limit=32)
        self.refused: ConcentratorError | None = None

    def start(self) -> Deferred[None]:
        if self.refused is not None:
            return fail(self.refused)
        self.state = evolve(self.state, is_on=True, state="looking", seconds_left=582.0, code="")
        return succeed(None)

    def stop(self) -> Deferred[None]:
        self.state = evolve(self.state, is_on=False, state="off", seconds_left=0.0)
        return succeed(None)

    def status(self) -> LinkStatus:
        return self.state


class DevicesBox(FakeBox):
    """`asked` has every call of an action that changes something, as (name, arguments). `answers`: name → what such an
    action gives, or the error with which it fails. `sections`: what the configuration says of each device."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.answers: dict[str, Any] = {}
        self.sections: dict[str, dict[str, Any]] = {}
        self.linking = Linking()
        self.linked_lines = ["native"]
        self.tasks = Tasks(self.wall)
        self.works: list[Deferred[object]] = []
        self.lines = [
            LineState("native", "serial:/dev/ttyUSB0:baudrate=9600", True, role="native"),
            LineState("ext", "serial:/dev/ttyUSB1:baudrate=9600", True, role="external"),
        ]
        for action in (
            *catalogue_actions(CATALOGUE, CATALOGUE.get),
            *link_actions(lambda line: self.linking, lambda: self.linked_lines),
            *task_actions(self.tasks),
        ):
            self.table.register(action)
        config = Permission.CONFIG
        self._takes("config.get", config, ("section", Kind.TEXT), call=self._section)
        for name in ("device.change", "device.add"):
            self._takes(name, config, ("uid", Kind.TEXT), *((key, _kind(key)) for key in SECTION))
        self._takes("device.remove", config, ("uid", Kind.TEXT))
        self._takes("device.write", Permission.WRITE, ("uid", Kind.TEXT), ("name", Kind.TEXT), ("value", _ANY))
        probe = (("line", Kind.TEXT), ("profile", Kind.TEXT), ("address", Kind.INTEGER))
        self._takes("device.probe", config, *probe)
        self._takes("device.identify", config, ("line", Kind.TEXT), ("address", Kind.INTEGER), call=self._identify)
        scan = (("line", Kind.TEXT), ("first", Kind.INTEGER), ("last", Kind.INTEGER), ("while_polling", Kind.FLAG))
        self._takes("scan", config, *scan, call=self._scan)

    def _takes(self, name: str, permission: Permission, *keys: tuple[str, Kind], call: Any = None) -> None:
        def noted(**arguments: Any) -> Any:
            given = {key: value for key, value in arguments.items() if value is not None}
            if name != "config.get":
                self.asked.append((name, given))
            answer = self.answers.get(name)
            if isinstance(answer, Exception):
                return fail(answer)
            return call(**given) if call is not None else answer

        arguments = tuple(Argument(key, kind, key, False) for key, kind in keys)
        self.table.register(Action(name, name, permission, arguments, noted))

    def _section(self, section: str) -> object:
        uid = section.removeprefix("device.")
        return {"values": {section: SECTION | self.sections.get(uid, {})}, "secrets": []}

    def _identify(self, line: str, address: int) -> object:
        return {"task": self._task(f"identify {line}")}

    def _scan(self, line: str, first: int, last: int, while_polling: bool) -> object:
        return {"task": self._task(f"scan {line}")}

    def _task(self, name: str) -> str:
        self.works.append(Deferred())
        return self.tasks.start(name, lambda tell: self.works[-1]).id

    def every_state(self) -> None:
        """Devices in all seven states of freshness, and the box's one silent line."""
        foreign = Trouble("…", "foreign", found="0220060112", expected="0220060041")
        self.devices = [
            device("main"),
            device("workshop", address=2, health="doubtful", at=NOW - 48, tries=("no_reply", "", "no_reply")),
            device(
                "roof",
                address=100,
                line="ext",
                protocol="MB_RTU_EXT",
                model="GoodWe ET",
                health="silent",
                at=NOW - 700,
                values={"p": 3100.0, "v1": 231.0},
                tries=("no_reply",) * 3,
            ),
            device("pool", address=3, line="ext", protocol="MB_RTU_EXT", model="SDM630", quality="partial"),
            device("heat", alias="Heat pump", address=7, trouble=foreign),
            device("new", alias="Garage", address=8, health="new", at=None, values={}),
            device("shed", alias="Shed", address=9, line="shed", at=NOW - 65),
            device("main2", alias="Main, line 2", address=1, secondary=1, at=NOW - 4),
        ]
        shed = LineState("shed", "serial:/dev/ttyUSB2:baudrate=9600", True, role="native", suspended="linking")
        self.lines = [*self.lines, shed]


def _kind(key: str) -> Kind:
    return Kind.VALUE if key == "address" else Kind.FLAG if key.startswith("allow_") else Kind.TEXT


def probed(**others: Any) -> dict[str, Any]:
    """What `device.probe` gives of a GoodWe."""
    return {
        "profile": "goodwe/et",
        "address": 100,
        "serial": "95048ETU",
        "model": "GW5K-ET",
        "firmware": "",
        "values": [
            {"name": "p", "label": "active power", "value": 3100.0, "unit": "W"},
            {"name": "v1", "label": "voltage L1", "value": 231.04, "unit": "V"},
        ],
        "first": ["p", "v1"],
        "missing": [],
        "misfits": [],
        "took_s": 1.2,
    } | others


def identified(**others: Any) -> dict[str, Any]:
    """What the task of `device.identify` gives of the same."""
    proposal = {
        "profile": "goodwe/et",
        "type": "inverter",
        "brand": "GoodWe",
        "series": "ET",
        "status": "single-source",
    }
    return {
        "line": "ext",
        "unit": 100,
        "answered": "holding registers",
        "trouble": "",
        "profiles": [proposal | {"rules": 1, "values": 40, "missing": 0}],
        "settings": "9600 8N1",
        "line_settings": "9600 8N1",
        "tried": 1,
        **{key: value for key, value in probed().items() if key in ("serial", "model", "firmware", "values", "first")},
        "missing": [],
    } | others


def found(unit: int, **others: Any) -> dict[str, Any]:
    """A find of a scan."""
    known = ("answered", "serial", "model", "firmware", "known", "trouble")
    return {"unit": unit, "profiles": [], **dict.fromkeys(known, "")} | others
