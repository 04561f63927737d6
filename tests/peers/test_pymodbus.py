"""The whole field side against a Modbus server we did not write: pymodbus on a serial port."""

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from concentrator.app.clocks import SharpClock, SystemWall
from concentrator.app.config import load
from concentrator.app.field import build_field
from concentrator.profile.catalogue import Catalogue
from concentrator.system.identity import DeviceBook
from tests.support.ptys import JoinedPtys

SERVER = Path(__file__).with_name("serve_pymodbus.py")

ANALYSER = """
[profile]
type = "analyser"
brand = "Test"
class = "three-phase"
series = "T1"
models = ["T1"]
sources = ["this test"]

[[variable]]
name = "v1"
unit = "V"
function = "input"
address = 0
type = "f32"
order = "big"
scale = 1

[[variable]]
name = "p"
unit = "kW"
function = "input"
address = 12
type = "s32"
order = "little-word"
scale = 0.001

[[variable]]
name = "ea_imp"
unit = "kWh"
function = "holding"
address = 100
type = "u32"
scale = 0.01

[[variable]]
name = "alarm"
unit = ""
function = "coil"
address = 3
type = "bool"
scale = 1
"""


def registers(form, *values):
    data = struct.pack(form, *values)
    return list(struct.unpack(f">{len(data) // 2}H", data))


def ccm_registers():
    """A CcM of the proposed map, written down by hand."""
    who = [0x434D, 0x0100, *registers(">10s", b"0420020081"), 4, 0x2C06, 0x0102, 3, 0, 0, 4, *registers(">I", 3600)]
    phase = (1234, 23010, 985, 2797, -480, 2839)
    fast = registers(">26i", *phase, *phase, *phase, 8391, -1440, 8517, 985, 5002, 12, 1_795_000_000, 0)
    energies = registers(">16Q", *range(10**9, 10**9 + 16))
    return {"holding": {"0": who, "256": fast, "320": energies, "768": [1, 1, 100, 0, 0, 0, 0, 0]}}


class FieldUnderTest:
    """A configured field on one port, and what it publishes."""

    def __init__(self, folder, port, devices):
        (folder / "plugins" / "test").mkdir(parents=True)
        (folder / "plugins" / "test" / "t1.toml").write_text(ANALYSER)
        file = folder / "ccmaster.toml"
        file.write_text(
            f'[box]\nstate_dir = "{folder}"\nplugin_dirs = ["{folder}/plugins"]\n'
            f'[line.bus]\nendpoint = "serial:{port}:baudrate=9600"\nrole = "external"\n'
            + "".join(
                f'[device.{uid}]\nline = "bus"\nprofile = "{profile}"\naddress = {address}\ninterval = "1 s"\n'
                for uid, (profile, address) in devices.items()
            )
        )
        config = load(file)
        self.clock = SharpClock(reactor)
        self.readings, self.events = [], []
        self.waiting = []
        self.field = build_field(
            config,
            Catalogue(config.box.plugin_dirs).get,
            reactor=reactor,
            sharp=self.clock,
            wall=SystemWall(),
            report=lambda name, facts: self.events.append((name, facts.get("device", ""))),
            book=DeviceBook(folder),
        )
        self.field.hub.subscribe(self.heard)

    def heard(self, reading):
        self.readings.append(reading)
        for entry in list(self.waiting):
            if entry[0]():
                self.waiting.remove(entry)
                entry[1].callback(None)

    def until(self, met):
        fired = Deferred()
        self.waiting.append((met, fired))
        return fired.addTimeout(20, reactor)

    def values(self, uid):
        return {name: value for name, (value, _) in self.field.latest.of(uid).values.items()}


@pytest_twisted.ensureDeferred
async def test_a_pymodbus_server_on_a_serial_port_is_read_correctly(tmp_path):
    ptys = JoinedPtys(reactor)
    ptys.start()
    devices = {
        1: ccm_registers(),
        7: {
            "input": {"0": registers(">f", 230.5) + [0] * 10 + registers(">HH", 0x8300, 0xFFFF)},
            "holding": {"100": registers(">I", 123456)},
            "coil": {"0": [0b0000_0000_0000_1000]},
        },
    }
    server = subprocess.Popen(
        [sys.executable, SERVER, ptys.ports[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    server.stdin.write(json.dumps(devices))
    server.stdin.close()
    assert server.stdout.readline() == "ready\n"
    wanted = {"main": ("energycm/ccm", 1), "shed": ("test/t1", 7)}
    under_test = FieldUnderTest(tmp_path, ptys.ports[0], wanted)
    under_test.clock.start()
    under_test.field.start()
    try:
        await under_test.until(
            lambda: (
                {"p", "ea_imp3", "direction_mode"} <= set(under_test.values("main"))
                and {"v1", "p", "ea_imp", "alarm"} <= set(under_test.values("shed"))
            )
        )
        main = under_test.values("main")
        assert (main["serial"], main["firmware"]) == ("0420020081", "0X2C06")
        assert (main["i1"], main["v1"], main["pf1"], main["p1"], main["q1"]) == (1.234, 230.1, 0.985, 279.7, -48.0)
        assert (main["p"], main["q"], main["f"], main["in"]) == (839.1, -144.0, 50.02, 0.012)
        assert [main[name] for name in ("ea_imp", "ea_exp", "er_imp", "er_exp")] == [
            1e6, 1000000.001, 1000000.002, 1000000.003,
        ]  # fmt: skip
        assert main["er_exp3"] == 1000000.015
        assert under_test.values("shed") == {"v1": 230.5, "p": -32000.0, "ea_imp": 1234.56, "alarm": 1}
        assert under_test.field.book.serial("main") == "0420020081"
        assert under_test.field.book.serial("shed") == "ANA_000001"
        counters = under_test.field.line_states()[0].counters
        assert (counters["garbled"], counters["refusals"]) == (0, 0)
        server.terminate()
        await under_test.until(lambda: {state.health for state in under_test.field.device_states()} == {"silent"})
        assert under_test.events == [("line.silent", "")]
    finally:
        server.terminate()
        await under_test.field.stop()
        under_test.clock.stop()
        server.wait(10)
        server.stdout.close()
        ptys.stop()
