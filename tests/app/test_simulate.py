"""The simulated bus as a process: a real pseudo-terminal in real time, which ends when nobody wants it any more."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pymodbus.client import ModbusSerialClient

from concentrator.sim.exchange import Status
from concentrator.sim.slave import framed, is_intact
from tests.support.bus import SimulatedBus, start_bus

__all__ = ["start_bus"]

Start = Callable[..., SimulatedBus]


def test_another_modbus_master_reads_a_meter(start_bus: Start) -> None:
    bus = start_bus("--meters", "3", "--instant")
    assert bus.units == [1, 2, 3]
    with ModbusSerialClient(bus.port, baudrate=9600) as client:
        serial = client.read_holding_registers(2, count=5, device_id=1)
        assert client.convert_from_registers(serial.registers, client.DATATYPE.STRING) == "0420020081"
        volts = client.read_input_registers(258, count=2, device_id=2).registers
        assert 21_000 < volts[0] << 16 | volts[1] < 25_000
        assert client.read_holding_registers(512, count=1, device_id=1).exception_code == 2
        assert not client.write_register(769, 1, device_id=3).isError()
        assert client.read_holding_registers(769, count=1, device_id=3).registers == [1]
    statuses = [exchange.status for exchange in bus.exchanges()]
    assert statuses == [Status.OK, Status.OK, Status.REFUSED, Status.OK, Status.OK]


def test_a_reply_takes_its_time_on_the_wire(start_bus: Start) -> None:
    bus = start_bus("--registers", "40", "--meters", "1", "--turnaround", "5")
    port = os.open(bus.port, os.O_RDWR | os.O_NOCTTY)
    try:
        began = time.monotonic()
        os.write(port, framed(1, bytes.fromhex("03 0000 0028")))
        reply, pieces = b"", 0
        while len(reply) < 85 and select.select([port], [], [], 2)[0]:
            reply += os.read(port, 256)
            pieces += 1
        lasted_s = time.monotonic() - began
    finally:
        os.close(port)
    assert reply == framed(1, bytes((3, 80)) + b"".join(bytes((1, n)) for n in range(40)))
    assert pieces > 20  # byte by byte, but for a machine that was busy
    (exchange,) = bus.exchanges()
    assert exchange.reply_ended is not None
    assert exchange.reply_ended - exchange.began == pytest.approx(93 * 10 / 9600 + 0.005)
    assert lasted_s >= 93 * 10 / 9600 + 0.005 - 0.002


def ask(bus: SimulatedBus, unit: int, pdu: str) -> bytes:
    """All that is heard after a request, until the bus has made its record of it."""
    port = os.open(bus.port, os.O_RDWR | os.O_NOCTTY)
    try:
        before = len(bus.exchanges())
        os.write(port, framed(unit, bytes.fromhex(pdu)))
        heard = b""
        while len(bus.exchanges()) == before:
            if select.select([port], [], [], 0.05)[0]:
                heard += os.read(port, 256)
        while select.select([port], [], [], 0.05)[0]:
            heard += os.read(port, 256)
        return heard
    finally:
        os.close(port)


def test_a_meter_from_the_factory_is_linked_by_its_button(start_bus: Start) -> None:
    bus = start_bus("--meters", "0", "--unlinked", "1", "--instant")
    assert (bus.units, bus.serials) == ([], {})
    (serial,) = bus.unlinked
    assert ask(bus, 247, "03 0F00 0009") == b""
    told = bus.tell(f"press {serial}")
    assert told["meter"]["stage"] == "waiting"
    block = ask(bus, 247, "03 0F00 0009")
    assert block[7:17].decode() == serial
    nonce = block[19:21].hex()
    assert nonce == f"{told['meter']['nonce']:04x}"
    assert ask(bus, 247, f"10 0F10 0007 0E {serial.encode().hex()} 0002 {nonce}")[:2] == b"\xf7\x10"
    assert ask(bus, 2, f"06 0F17 {nonce}")[:2] == b"\x02\x06"
    shown = bus.tell(f"show {serial}")["meter"]
    assert (shown["stored_id"], shown["stage"], shown["led"]) == (2, "committed", "fast")


def test_newcomers_collide_with_the_meter_at_id_1(start_bus: Start) -> None:
    bus = start_bus("--meters", "2", "--unlinked", "1", "--secondaries", "4")
    assert bus.units == [1, 2]
    assert bus.serials[1] == "0420020081"
    assert [len(those) for those in bus.secondaries.values()] == [4]
    assert not is_intact(ask(bus, 1, "03 0000 0010"))
    assert is_intact(ask(bus, 2, "03 0000 0010"))
    assert "done" in bus.tell("capture 1")
    assert is_intact(ask(bus, 1, "03 0000 0010"))
    statuses = [exchange.status for exchange in bus.exchanges()]
    assert statuses == [Status.COLLIDED, Status.OK, Status.OK]


def test_the_bus_is_told_who_is_silent_while_it_runs(start_bus: Start) -> None:
    bus = start_bus("--registers", "10", "--meters", "3", "--instant")
    assert bus.tell("silence 2") == {"done": "silence 2"}
    assert [bool(ask(bus, unit, "03 0000 0001")) for unit in (1, 2, 3)] == [True, False, True]
    assert "expected" in bus.tell("dance")["error"]
    bus.tell("silence")
    assert ask(bus, 2, "03 0000 0001")


def test_the_end_of_its_input_is_not_the_end_of_the_bus(start_bus: Start) -> None:
    bus = start_bus("--meters", "1", "--instant")
    assert bus.process.stdin is not None
    bus.process.stdin.close()
    assert is_intact(ask(bus, 1, "03 0000 0010"))
    assert bus.stop() == 0


def test_a_bus_needs_no_input(tmp_path: Path) -> None:
    shell = 'exec "$0" -m concentrator.app.simulate --meters 1 <&-'
    with subprocess.Popen(["sh", "-c", shell, sys.executable], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["units"] == [1]
        process.terminate()
        assert process.wait(10) == 0


def test_an_echoing_bus_gives_the_request_back(start_bus: Start) -> None:
    bus = start_bus("--registers", "10", "--meters", "1", "--echo")
    request, reply = framed(1, bytes.fromhex("03 0000 0001")), framed(1, bytes.fromhex("03 02 0100"))
    assert ask(bus, 1, "03 0000 0001") == request + reply


def test_the_link_and_the_process_end_together(start_bus: Start) -> None:
    bus = start_bus()
    assert os.path.islink(bus.port)
    assert bus.stop() == 0
    assert not os.path.lexists(bus.port)


def test_a_link_left_by_a_dead_bus_is_taken_over(start_bus: Start, tmp_path: Path) -> None:
    (tmp_path / "bus").symlink_to("/dev/pts/no-more")
    bus = start_bus()
    assert os.path.exists(bus.port)


def test_a_file_in_the_way_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "bus").write_text("precious")
    command = [sys.executable, "-m", "concentrator.app.simulate", "--link", str(tmp_path / "bus")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 1
    assert "is there already and no link" in ended.stderr
    assert (tmp_path / "bus").read_text() == "precious"


def test_it_ends_when_the_process_that_started_it_has_gone(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys; subprocess.Popen(sys.argv[1:]).wait()",
            *(sys.executable, "-m", "concentrator.app.simulate", "--link", str(tmp_path / "bus"), "--meters", "1"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        json.loads(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        assert parent.stdout.read() == ""  # the pipe closes when the last of them has ended
    assert not os.path.lexists(tmp_path / "bus")


@pytest.mark.parametrize("option", [("--crc", "1.5"), ("--late", "x"), ("--meters", "-1"), ("--turnaround", "fast")])
def test_a_wrong_option_is_refused(option: tuple[str, str]) -> None:
    command = [sys.executable, "-m", "concentrator.app.simulate", *option]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    assert option[0] in ended.stderr
