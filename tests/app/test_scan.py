"""concentrator.app.scan: a scan that has the port to itself, against a bus in real time."""

import json
import signal
import subprocess
import sys
from contextlib import suppress
from io import StringIO
from pathlib import Path

import attrs
import pytest
import pytest_twisted
from serial import Serial
from twisted.internet import reactor

from concentrator.app.progress import Bar
from concentrator.app.scan import OfflineScan, found_lines, place_of, through_the_box, wires_of
from concentrator.model.errors import LineLost, Unknown
from concentrator.profile.catalogue import Catalogue
from tests.support.bus import start_bus

__all__ = ["start_bus"]

ROOT = Path(__file__).parents[2]
CCM = Catalogue().get("energycm/ccm")


@pytest.mark.parametrize(
    ("endpoint", "given", "settings"),
    [
        ("serial:/dev/x", {}, ["9600 8N1", "19200 8N1", "9600 8E1", "19200 8E1"]),
        ("serial:/dev/x:baudrate=9600", {}, ["9600 8N1", "9600 8E1"]),
        ("serial:/dev/x:baudrate=2400:parity=E:stopbits=2", {}, ["2400 8E2"]),
        ("serial:/dev/x:baudrate=2400:parity=E", {"baudrates": [4800, 300]}, ["4800 8E1", "300 8E1"]),
        ("serial:/dev/x", {"parities": ["O"], "stopbits": [1, 2]}, ["9600 8O1", "19200 8O1", "9600 8O2", "19200 8O2"]),
        ("tcp:192.168.4.20:502", {"baudrates": [9600]}, [""]),
    ],
)
def test_the_likeliest_settings_are_tried_first(endpoint, given, settings):
    assert [wire.settings for wire in wires_of(endpoint, **given)] == settings


@pytest.mark.parametrize("endpoint", ["smoke:signals", "tcp:host", "serial:/dev/x:speed=1"])
def test_what_is_no_wire_is_not_tried(endpoint):
    with pytest.raises(ValueError, match=r"expected|is none of"):
        wires_of(endpoint)


def scan_of(endpoint, told=lambda *_: None, **options):
    options = {
        "units": [1, 2, 3, 4],
        "profiles": [CCM],
        "protocol": "modbus-rtu",
        "timeout_s": 0.1,
        "known": {},
    } | options
    return OfflineScan(wires_of(endpoint, [9600, 19200], ["N"]), tell=told, **options)


@pytest_twisted.ensureDeferred
async def test_every_setting_is_tried_with_every_id_and_devices_of_the_configuration_are_marked(start_bus):
    bus = start_bus("--meters", "2", "--instant")
    said = []
    scan = scan_of(f"serial:{bus.port}", lambda *told: said.append(told), known={2: "main"})
    rows = await scan.over(reactor, reactor)
    assert rows == scan.rows
    # A pseudo-terminal has no speed: whoever is there answers to all of them.
    assert [(row["settings"], row["unit"], row["serial"], row["known"]) for row in rows] == [
        ("9600 8N1", 1, "0420020081", ""),
        ("9600 8N1", 2, "0220020218", "main"),
        ("19200 8N1", 1, "0420020081", ""),
        ("19200 8N1", 2, "0220020218", "main"),
    ]
    done = [told[0] for told in said]
    assert done == sorted(done) and (done[0], done[-1]) == (0.0, 1.0)
    assert said[0][1] == "9600 8N1 function 03, ID 1, 0 found"


@pytest_twisted.ensureDeferred
async def test_a_port_that_is_not_there_is_said_at_once(tmp_path):
    with pytest.raises(LineLost, match="the port is not there"):
        await scan_of(f"serial:{tmp_path}/none").over(reactor, reactor)


@pytest_twisted.ensureDeferred
async def test_settings_that_the_port_does_not_take_are_passed_over_and_told(start_bus, tmp_path):
    bus = start_bus("--meters", "1", "--instant")
    scan = scan_of(f"serial:{bus.port}")
    good, other = scan.wires
    bad = attrs.evolve(good, serial=attrs.evolve(good.serial, path=f"{tmp_path}/none", stopbits=2))
    scan.wires = (bad, good, other)
    rows = await scan.over(reactor, reactor)
    assert [row["settings"] for row in rows] == ["9600 8N1", "19200 8N1"]
    assert scan.untried == [f"9600 8N2: {tmp_path}/none: the port is not there"]


def test_a_line_of_the_configuration_is_scanned_as_it_is_configured(tmp_path):
    file = tmp_path / "my.toml"
    file.write_text(
        '[box]\nstate_dir = "."\n[line.native]\nendpoint = "serial:/dev/x:baudrate=9600"\n'
        '[line.air]\nendpoint = "tcp:10.0.0.5:502"\nrole = "external"\nprotocol = "modbus-tcp"\n'
        '[device.main]\nline = "native"\nprofile = "energycm/ccm"\naddress = 7\n'
    )
    native, air = place_of("native", file, None), place_of("air", file, None)
    assert (native.endpoint, native.protocol, native.known) == (
        "serial:/dev/x:baudrate=9600",
        "modbus-rtu",
        {7: "main"},
    )
    assert (air.protocol, air.known) == ("modbus-tcp", {})
    assert place_of("air", file, "modbus-rtu").protocol == "modbus-rtu"
    with pytest.raises(Unknown, match=r"line nativ \(did you mean native\?\)"):
        place_of("nativ", file, None)
    assert place_of("serial:/dev/y", tmp_path / "none", None).protocol == "modbus-rtu"
    assert place_of("tcp:10.0.0.5:502", tmp_path / "none", None).protocol == "modbus-tcp"


def ccmaster(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "concentrator.app.cli", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_the_command_finds_what_answers(start_bus):
    bus = start_bus("--meters", "2", "--instant")
    with ccmaster("scan", f"serial:{bus.port}:baudrate=9600:parity=N", "--ids", "1-3", "--timeout", "0.1") as command:
        out, err = command.communicate(timeout=60)
    assert (command.returncode, err) == (0, "")
    head, first, second = out.splitlines()
    assert head.split() == ["ID", "SETTINGS", "PROFILE", "SERIAL", "MODEL", "FIRMWARE", "KNOWN", "AS", "ANSWERED"]
    assert first.split() == ["1", "9600", "8N1", "energycm/ccm", "0420020081", "CcM4", "0X2C06", "function", "03"]
    assert second.split()[0] == "2"


def test_whoever_loses_patience_sees_what_was_found_so_far(start_bus):
    bus = start_bus("--meters", "2")
    with ccmaster("scan", f"serial:{bus.port}:baudrate=9600:parity=N", "--json") as command:
        while not any(exchange.unit == 5 for exchange in bus.exchanges()):
            with suppress(subprocess.TimeoutExpired):
                command.wait(0.1)
            assert command.returncode is None, command.stderr.read()
        command.send_signal(signal.SIGINT)
        out, err = command.communicate(timeout=60)
    assert command.returncode == 130
    assert [row["unit"] for row in json.loads(out)] == [1, 2]
    assert err == "ccmaster: interrupted; this is what was found until then\n"


def test_a_port_that_the_box_holds_is_said_with_what_to_do(start_bus, tmp_path):
    bus = start_bus("--meters", "1")
    file = tmp_path / "my.toml"
    file.write_text(f'[box]\nstate_dir = "."\n[line.native]\nendpoint = "serial:{bus.port}:baudrate=9600"\n')
    with Serial(bus.port, exclusive=True), ccmaster("scan", "native", "--config", str(file)) as command:
        out, err = command.communicate(timeout=60)
    assert (command.returncode, out) == (1, "")
    assert err == (
        f"ccmaster: The line is not there: {bus.port}: another program holds the port; if that is the concentrator, "
        "`ccmaster scan native --while-polling` asks it\n"
    )


class RunningBox:
    """A box that scans: what it was asked, and how its task stands each time."""

    def __init__(self, monkeypatch, *stands):
        self.asked, self.stands = [], list(stands)
        monkeypatch.setattr("concentrator.app.scan.act", self.act)
        monkeypatch.setattr("concentrator.app.scan.time.sleep", self.sleep)
        self.interrupted = False

    def act(self, state_dir, name, **arguments):
        self.asked.append((name, arguments))
        if name == "scan":
            return {"task": "a-1"}
        stand = self.stands[0] if len(self.stands) == 1 else self.stands.pop(0)
        return {"progress": 0.5, "text": "ID 3", "result": None, "error": None, **stand}

    def sleep(self, seconds):
        if self.interrupted:
            raise KeyboardInterrupt


class Terminal(StringIO):
    def isatty(self):
        return True


def test_the_running_box_is_watched_until_its_scan_is_over(monkeypatch, tmp_path):
    box = RunningBox(monkeypatch, {"state": "running"}, {"state": "done", "result": [{"unit": 3}]})
    screen = Terminal()
    assert through_the_box(tmp_path, "native", 1, 33, Bar(screen)) == ([{"unit": 3}], "", True)
    assert box.asked[0] == ("scan", {"line": "native", "first": 1, "last": 33, "while_polling": True})
    assert " 50 %  ID 3, 0 found" in screen.getvalue()


def test_a_scan_that_fails_in_the_box_is_said_with_what_it_found(monkeypatch, tmp_path):
    RunningBox(
        monkeypatch, {"state": "failed", "result": [{"unit": 1}], "error": {"message": "The line is not there."}}
    )
    assert through_the_box(tmp_path, "native", 1, 2, Bar(StringIO())) == (
        [{"unit": 1}],
        "The line is not there.",
        False,
    )


def test_ctrl_c_gives_the_scan_in_the_box_up(monkeypatch, tmp_path):
    box = RunningBox(monkeypatch, {"state": "running"}, {"state": "cancelled", "result": [{"unit": 1}]})
    box.interrupted = True
    assert through_the_box(tmp_path, "native", 1, 2, Bar(StringIO())) == ([{"unit": 1}], "", False)
    assert box.asked[-1] == ("task.cancel", {"id": "a-1"})


def test_nobody_there_is_said_too():
    assert list(found_lines([])) == ["nobody answers"]
