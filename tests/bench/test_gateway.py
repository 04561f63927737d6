"""What gateways add is measured against a meter that is true to the wire."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from bench import gateway
from bench.gateway import LENGTH, MUCH, SPEEDS, Added
from bench.gateways import BYTES, GATEWAYS, NONE, SER2NET, SOCAT


def test_the_report_has_the_ratios_to_both_peers_and_what_was_lost() -> None:
    added = {BYTES: 150.0, SOCAT: 100.0, SER2NET: 3000.0}
    runs = [Added(name, "2400 8E1", last_us=last_us, cpu_us=last_us) for name, last_us in added.items()]
    runs.append(Added(BYTES, "as fast as it goes", to_wire=90.0, to_client=80.0, lost=7))
    report = gateway.report(runs)
    slow, fast = [line for line in report.splitlines() if f"  {BYTES} " in line]
    assert "1.500" in slow and "0.050" in slow
    assert fast.endswith("7")


@pytest.mark.parametrize("speed", ["9600 8E1"])
def test_a_client_at_the_terminal_itself_gets_every_byte_when_it_is_due(
    speed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    baudrate, _ = SPEEDS[speed]
    monkeypatch.setitem(SPEEDS, speed, (baudrate, 2))
    run = gateway._latency(NONE, speed)
    assert run.segments is not None and 1 < run.segments <= LENGTH
    assert run.last_us is not None and run.last_us > 0
    assert run.cpu_us is None


def test_what_is_sent_as_fast_as_it_goes_is_compared_byte_by_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "MUCH", 8192)
    source, sink = os.pipe(), os.pipe()

    def spoil() -> None:
        data = b""
        while len(data) < 8192:
            data += os.read(source[0], 8192)
        os.write(sink[1], data[:100] + b"\xff" + data[101:])

    spoiling = threading.Thread(target=spoil)
    spoiling.start()
    _, lost = gateway._rate(source[1], sink[0])
    spoiling.join()
    assert lost == 1
    for descriptor in (*source, *sink):
        os.close(descriptor)


def test_every_gateway_is_told_its_wire_its_speed_and_its_port(tmp_path: Path) -> None:
    folder = tmp_path
    for name, command in GATEWAYS.items():
        if command is None:
            assert name == NONE
            continue
        words = " ".join(command(folder, "/dev/pts/99", 2400, 12345))
        written = "".join(file.read_text() for file in folder.iterdir())
        assert "/dev/pts/99" in words + written and "12345" in words + written
        for file in folder.iterdir():
            file.unlink()
    assert MUCH > 1 << 20
