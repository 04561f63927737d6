"""What a slave port can take is measured with requests that both servers understand."""

from __future__ import annotations

import socket
import threading

import pytest

from bench import slave
from bench.slave import COUNT, MAP, MIRROR, PYMODBUS, SERIAL, Asked
from concentrator.model.profile import Function
from concentrator.wire.modbus_server import Read, Requests, asked, request_at_end


def test_the_report_has_the_ratios_to_pymodbus_way_by_way() -> None:
    speeds = {MAP: 8000.0, MIRROR: 6000.0, PYMODBUS: 4000.0}
    runs = [
        Asked(name, bus, per_s, 100, 200, 50, 55) for name, per_s in speeds.items() for bus in ("TCP, 1 client", SERIAL)
    ]
    lines = [line for line in slave.report(runs).splitlines() if " 8000 " in line or " 6000 " in line]
    assert [line.startswith("TCP") for line in lines] == [True, True, False, False]
    assert "2.000" in lines[0] and "1.500" in lines[1]


def test_requests_are_what_the_servers_understand() -> None:
    requests = Requests()
    requests.take(slave.tcp_request(7, (2, 4, 100)))
    (found,) = requests
    assert (found.number, found.unit, asked(found.pdu)) == (7, 2, Read(Function.INPUT, 100, COUNT))
    heard = request_at_end(slave.rtu_request((1, 3, 40000)), {1})
    assert heard is not None and asked(heard[1:]) == Read(Function.HOLDING, 40000, COUNT)


def test_every_answer_is_waited_for_and_timed() -> None:
    near, far = socket.socketpair()
    answers = threading.Thread(target=lambda: [far.recv(12) and far.sendall(bytes(9 + 2 * COUNT)) for _ in range(5)])
    answers.start()
    took = slave._over_tcp([near], (1, 3, 40000), 5)
    answers.join()
    assert len(took) == 5 and all(each > 0 for each in took)
    near.close()
    far.close()


def test_an_answer_that_does_not_come_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slave, "_PATIENCE_S", 0.01)
    with slave._wire() as (near, _), pytest.raises(RuntimeError, match="0 bytes of an answer came"):
        slave._on_the_wire(near, (1, 3, 40000), 1)
