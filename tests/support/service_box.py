"""A made-up box with cloud sessions, modems and slave ports: a real configuration file, and services that stand as they
are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import evolve

from concentrator.actions.messages import MessageState, SmsState, message_actions
from concentrator.actions.modems import ModemState, modem_actions
from concentrator.actions.slave import SlaveState, slave_actions
from concentrator.actions.smartgen import CloudState, smartgen_actions
from concentrator.model.errors import Unknown
from tests.support.config_box import ConfigBox
from tests.support.web import NOW

TEXT = """# Ours
[box]
state_dir = "state"

[line.native]
endpoint = "serial:/dev/ttyUSB1:baudrate=9600"

[line.genset]
endpoint = "serial:/dev/ttyUSB2:baudrate=9600"
role = "external"

[line.out]
endpoint = "serial:/dev/ttyUSB3:baudrate=9600"
role = "slave"

[device.main]
line = "native"
profile = "energycm/ccm"
address = 1

[device.g1]
line = "genset"
profile = "smartgen/hgm6100n"
address = 1

[smartgen.first]
device = "g1"
site = "Farm"      # where it is

[sms.modem]
numbers = ["34600123456"]
device = "g1"

[modbus_slave.scada]
port = 1502

[modem.wan]
apn = "internet"
"""
FIGURES = {
    "rounds": 1200,
    "unanswered": 3,
    "uploads": 1180,
    "uploaded_at": None,
    "written": 2,
    "refused": 1,
    "logins": 1,
    "history_sent": 0,
    "history_waiting": 0,
}
CLOUD = CloudState(
    "first",
    "g1",
    "Online",
    True,
    True,
    "tcp:cm.smartgen.com.cn:81",
    "383033313334510900560037",
    "Farm",
    "HGM6120N",
    0,
    "AMF module",
    "rs485",
    9600,
    False,
    3.0,
    "changes",
    "2026-11-21 18:00:00",
    live="cloud.example:21318",
    location={"source": "manual", "longitude": -3.7, "latitude": 40.4, "altitude_m": 650.0},
    figures=FIGURES,
)
MODEM = SmsState(
    "modem",
    "at",
    "Ready",
    True,
    operator="Movistar",
    signal=71,
    numbers=["…456"],
    received=2,
    refused=1,
    messages=[
        MessageState(NOW - 60, "out", "…456", "GENSET ALARM", "delivered", kind="alarm"),
        MessageState(NOW - 120, "in", "…789", "", "received", reason="a stranger"),
    ],
)
DATA = ModemState("wan", "Connected", True, "", "registered", "Movistar", 71, "ccmaster-wan")
PORT = SlaveState("scada", "tcp:1502", 1, "map", is_open=True, clients=["192.168.1.20"], reads=48_211, refused={"2": 5})


class ServiceBox(ConfigBox):
    """`clouds`, `modems`, `ports` and `data` are how the services stand; `sent` are the test messages, `reset` names
    the sessions that were."""

    def __init__(self, folder: Path, text: str = TEXT) -> None:
        super().__init__(folder, text)
        self.clouds, self.modems, self.ports = [CLOUD], [MODEM], [PORT]
        self.data = [DATA]
        self.sent: list[tuple[str, ...]] = []
        self.reset: list[str] = []
        for action in (
            *smartgen_actions(lambda: self.clouds, self._reset),
            *message_actions(lambda: self.modems, self._send),
            *slave_actions(lambda: self.ports, lambda: MAP),
            *modem_actions(lambda: self.data),
        ):
            self.table.register(action)

    def cloud(self, **others: Any) -> None:
        """Has the cloud session stand otherwise."""
        self.clouds = [evolve(CLOUD, **others)]

    def _reset(self, session: str, caller: object) -> None:
        if session not in [state.name for state in self.clouds]:
            raise Unknown(f"session {session}")
        self.reset.append(session)

    def _send(self, *what: str) -> None:
        self.sent.append(what)


MAP = {
    "base": 40000,
    "common": [
        {"address": 40002, "registers": 1, "name": "Other", "type": "uint16", "meaning": "of the box's own"},
        {"address": 40003, "registers": 1, "name": "L", "type": "uint16", "meaning": "how many"},
    ],
    "header": [{"address": 40070, "registers": 1, "name": "windows", "type": "uint16", "meaning": "how many"}],
    "states": {"0": "absent"},
    "windows": [
        {
            "number": 1,
            "uid": "main",
            "alias": "Main",
            "is_there": False,
            "address": 40100,
            "registers": 64,
            "values": [
                {
                    "address": 40110,
                    "registers": 2,
                    "type": "float32",
                    "name": "v1",
                    "label": "Voltage L1",
                    "unit": "V",
                    "is_writable": False,
                }
            ],
        }
    ],
    "end": 40164,
    "left_out": [],
}
