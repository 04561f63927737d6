"""SunSpec devices served by pymodbus, their registers laid out by pysunspec2: the whole road from the configuration to
the newest values, at each place where a chain can begin, and what changes while it is read."""

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import pytest_twisted
from pymodbus.client import ModbusTcpClient
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from concentrator.app.clocks import SharpClock, SystemWall
from concentrator.app.config import load_checked
from concentrator.app.field import build_field
from concentrator.model.errors import NotWritable
from concentrator.system.identity import DeviceBook
from tests.support.brokers import free_port
from tests.support.sunspec import common, content, registers

SERVER = Path(__file__).with_name("serve_pymodbus.py")
LONGEST_S = 60

SOLAR = {"W": 2815, "W_SF": 0, "Hz": 5001, "Hz_SF": -2, "WH": 1234567, "WH_SF": 0, "PhVphA": 2305, "V_SF": -1, "St": 4}
STRINGS = {"DCA_SF": -2, "DCV_SF": -1, "DCW_SF": 1, "DCWH_SF": 3}
STRING = {"ID": 1, "DCA": 512, "DCV": 6012, "DCW": 308, "DCWH": 77}
BATTERY = {"SoC": 553, "SoC_SF": -1, "V": 4012, "V_SF": -1, "A": -55, "A_SF": -1, "W": -2200, "W_SF": 0, "ChaSt": 4}
METERING = {"W": -1234, "W_SF": 0, "TotWhExp": 5000, "TotWhImp": 777000, "TotWh_SF": 1, "PhVphA": 2302, "V_SF": -1}
LIMITS = {"WMaxLimPct": 1000, "WMaxLimPct_SF": -1, "WMaxLim_Ena": 0}
UNKNOWN = struct.pack(">HH", 64999, 5) + bytes(10)

DEVICES = {
    # unit: (profile, its registers, what is read)
    1: (
        "sunspec/inverter-int",
        registers(40000, common(SN="I-1"), content(103, SOLAR), content(160, STRINGS, [STRING, STRING]), UNKNOWN),
        {"serial": "I-1", "p": 2815, "e_total": 1234.567, "v1": 230.5, "f": 50.01, "dc_p2": 3080, "dc_e1": 77},
    ),
    2: (
        "sunspec/inverter-float",
        registers(50000, common(SN="F-2"), UNKNOWN, content(113, {"W": 2815.5, "WH": 5000.0, "Hz": 50.0})),
        {"serial": "F-2", "p": 2815.5, "e_total": 5.0, "f": 50.0},
    ),
    3: (
        "sunspec/meter-int",
        registers(0, common(Mn="SolarEdge ", SN="M-3"), content(203, METERING)),
        {"serial": "M-3", "p": 1234, "ea_imp": 7770.0, "ea_exp": 50.0, "v1": 230.2},
    ),
    4: (
        "sunspec/meter-float",
        registers(40000, common(SN="M-4"), content(213, {"W": -7.5, "TotWhImp": 2000.0, "Evt": 1})),
        {"serial": "M-4", "p": -7.5, "ea_imp": 2.0, "alarm": 1},
    ),
    5: (
        "kostal/sunspec",
        registers(
            40000,
            common(Mn="KOSTAL", SN="K-5"),
            content(802, BATTERY),
            content(103, SOLAR),
            content(203, METERING),
            content(123, LIMITS),
        ),
        {"serial": "K-5", "p": 2815, "soc": 55.3, "bat_p": -2200, "bat_i": -5.5, "grid_p": -1234, "grid_ea_imp": 7770},
    ),
    6: (
        "sma/sunspec",
        registers(40000, common(Mn="SMA", SN="S-6"), content(701, {"W": 150, "W_SF": 1, "InvSt": 3})),
        {"serial": "S-6", "p": 1500, "status": 3},
    ),
    7: (
        "sunspec/mppt",
        registers(40000, common(SN="X-7"), content(160, STRINGS, [STRING])),
        {"serial": "X-7", "dc_v1": 601.2, "dc_i1": 5.12},
    ),
}


def served(content):
    """Registers as the server wants them, neighbours together."""
    runs, start = {}, None
    for address in sorted(content):
        if address - 1 not in content:
            start = runs.setdefault(str(address), [])
        start.append(content[address])
    return {"holding": runs}


@pytest.fixture
def kind():
    """How they are served."""
    return "tcp"


@pytest.fixture
def port(kind):
    """The port where all devices are served, each under its Modbus ID."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, SERVER, kind, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        server.stdin.write(json.dumps({unit: served(registers) for unit, (_, registers, _) in DEVICES.items()}))
        server.stdin.close()
        assert server.stdout.readline() == "ready\n"
        yield port
        server.kill()


class Plant:
    """The field of a configuration with all devices, while it runs."""

    def __init__(self, folder, port, units=tuple(DEVICES), protocol="modbus-tcp"):
        devices = "".join(
            f'[device.d{unit}]\nline = "bus"\nprofile = "{DEVICES[unit][0]}"\naddress = {unit}\nallow_write = true\n'
            for unit in units
        )
        file = folder / "ccmaster.toml"
        file.write_text(
            f'[box]\nstate_dir = "{folder}"\nplugin_dirs = []\n'
            f'[line.bus]\nendpoint = "tcp:127.0.0.1:{port}"\nrole = "external"\nprotocol = "{protocol}"\n{devices}'
        )
        config, self.catalogue = load_checked(file)
        self.clock = SharpClock(reactor)
        self.waiting, self.events = [], []
        self.field = build_field(
            config,
            self.catalogue.get,
            reactor=reactor,
            sharp=self.clock,
            wall=SystemWall(),
            report=lambda name, facts: self.events.append(name),
            book=DeviceBook(folder),
        )
        self.field.hub.subscribe(self.heard)

    def heard(self, _reading):
        for holds, waiting in tuple(self.waiting):
            if holds():
                self.waiting.remove((holds, waiting))
                waiting.callback(None)

    def values(self, uid):
        return {name: value for name, (value, _) in self.field.latest.of(uid).values.items()}

    async def until(self, holds):
        """Waits for a reading after which it holds."""
        waiting = Deferred()
        self.waiting.append((holds, waiting))
        await waiting.addTimeout(LONGEST_S, reactor)

    async def __aenter__(self):
        self.clock.start()
        self.field.start()
        return self

    async def __aexit__(self, *_):
        await self.field.stop()
        self.clock.stop()


async def write(port, unit, address, words):
    """Has a device hold other registers."""

    def written():
        with ModbusTcpClient("127.0.0.1", port=port) as client:
            assert not client.write_registers(address, words, device_id=unit).isError()

    await deferToThread(written)


@pytest.mark.parametrize(("kind", "protocol"), [("tcp", "modbus-tcp"), ("rtu-over-tcp", "modbus-rtu")])
@pytest_twisted.ensureDeferred
async def test_devices_of_every_kind_are_found_and_read(tmp_path, port, protocol):
    async with Plant(tmp_path, port, protocol=protocol) as plant:
        await plant.until(
            lambda: all(wanted.keys() <= plant.values(f"d{u}").keys() for u, (_, _, wanted) in DEVICES.items())
        )
        for unit, (_, _, wanted) in DEVICES.items():
            read = plant.values(f"d{unit}")
            assert {name: read[name] for name in wanted} == pytest.approx(wanted), unit
        states = {state.uid: state for state in plant.field.device_states()}
        assert [states[f"d{unit}"].serial for unit in DEVICES] == [
            wanted["serial"] for _, _, wanted in DEVICES.values()
        ]
        shown = {name for name, _, _ in states["d1"].points}
        assert "dc_p2" in shown
        assert "q" not in shown, "it has no reactive power"
        columns = {column.name: column.unit for column in plant.field.describe("d1")[1]}
        assert columns["dc_p2"] == "W"
        assert "serial" not in columns
        assert {state.quality for state in states.values()} == {"good"}
        assert {state.health for state in states.values()} == {"answering"}
        assert plant.field.line_states()[0].counters["garbled"] == 0


@pytest_twisted.ensureDeferred
async def test_a_scale_factor_and_a_whole_chain_may_change_while_they_are_read(tmp_path, port):
    async with Plant(tmp_path, port, [1]) as plant:
        await plant.until(lambda: plant.values("d1").get("p") == 2815)
        await write(port, 1, 40070 + 15, [1])
        await plant.until(lambda: plant.values("d1")["p"] == 28150)
        now = registers(40000, common(SN="I-1"), content(124), content(103, {**SOLAR, "W": 77}))
        await write(port, 1, 40070, [now[address] for address in range(40070, 40140)])
        await write(port, 1, 40140, [now[address] for address in range(40140, max(now) + 1)])
        await plant.until(lambda: plant.values("d1")["p"] == 77)
        assert "counter.reset" not in plant.events
        assert {block.address for block in plant.field.known()["d1"].station.blocks} == {40070, 40096}


@pytest_twisted.ensureDeferred
async def test_a_variable_is_read_and_a_limit_is_written_by_command(tmp_path, port):
    async with Plant(tmp_path, port, [5]) as plant:
        await plant.until(lambda: "p_limit" in plant.values("d5"))
        assert await plant.field.read("d5", "e_total") == 1234.567
        assert plant.field.unit("d5", "e_total") == "kWh"
        assert plant.values("d5")["p_limit"] == 100
        assert await plant.field.write("d5", "p_limit", 60) == 60
        assert plant.values("d5")["p_limit"] == 60
        with pytest.raises(NotWritable, match="only read"):
            await plant.field.write("d5", "p", 5)
