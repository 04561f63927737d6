import socket
import threading

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread

from concentrator.actions.present import whole_device_json
from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission
from concentrator.api import LineState, UplinkState
from concentrator.app.control import (
    NotAnswering,
    NotDone,
    act,
    ask,
    device_lines,
    device_report,
    status_lines,
    value_text,
)
from concentrator.portal.doors import build_control_site
from tests.support.web import NOW, FakeBox, device


@pytest.fixture
def box(tmp_path):
    """A box with a real control socket in `tmp_path`."""
    box = FakeBox()
    port = reactor.listenUNIX(str(tmp_path / "control.sock"), build_control_site(box.table, clock=Clock()))
    yield box
    pytest_twisted.blockon(port.stopListening())


def asking(tmp_path, address):
    return deferToThread(ask, tmp_path, address)


@pytest_twisted.ensureDeferred
async def test_status_says_how_the_box_is(box, tmp_path):
    box.devices = [device("main"), device("workshop", health="silent")]
    box.lines.append(LineState("b", "serial:/dev/x", False, "/dev/x: the port is not there"))
    box.uplinks = [
        UplinkState("mqtt", "mqtt", "mqtt://b:1883", True, NOW - 600, waiting=3, delivered=7),
        UplinkState("ftp", "ftp", "ftp://f", trouble="refused"),
    ]
    assert list(status_lines(await asking(tmp_path, "/api/status"))) == [
        "CcMaster 4220080001 (PRO), version 0.1.0, up 3 h 12 min",
        "  devices  2: 1 answering, 1 silent",
        "  line     native (serial:/dev/ttyUSB0:baudrate=9600): open",
        "  line     b (serial:/dev/x): not open: /dev/x: the port is not there",
        "  uplink   mqtt (mqtt://b:1883): up since 2026-11-21T09:31:07Z, 7 delivered, 3 waiting",
        "  uplink   ftp (ftp://f): down, 0 delivered: refused",
    ]


@pytest_twisted.ensureDeferred
async def test_a_clock_that_is_not_trusted_is_said_so(box, tmp_path):
    box.wall.trusted = False
    assert "  the clock is not trusted yet: records wait" in status_lines(await asking(tmp_path, "/api/status"))


@pytest_twisted.ensureDeferred
async def test_devices_are_a_table(box, tmp_path):
    box.devices = [device("main"), device("workshop", alias="", last_seen=None, health="silent", trouble="no answer")]
    head, first, second = device_lines(await asking(tmp_path, "/api/devices"))
    assert head.split()[:4] == ["DEVICE", "ALIAS", "SERIAL", "MODEL"]
    assert first.split() == [
        "main", "Main", "0420020081", "CcM4", "MB_RTU_CCM", "native", "1", "answering", "2026-11-21T09:41:05Z",
    ]  # fmt: skip
    assert second.split()[-3:] == ["silent", "no", "answer"]
    assert head.index("TROUBLE") == second.index("no answer")


@pytest_twisted.ensureDeferred
async def test_what_the_box_refuses_is_said_in_its_words(box, tmp_path):
    with pytest.raises(NotAnswering, match="device nobody"):
        await asking(tmp_path, "/api/devices/nobody")


@pytest_twisted.ensureDeferred
async def test_the_box_does_what_it_is_asked_and_what_is_not_said_is_not_sent(box, tmp_path):
    heard = []

    def told(uid, alias):
        heard.append((uid, alias))
        return {"uid": uid}

    schema = (Argument("uid", Kind.TEXT, ""), Argument("alias", Kind.TEXT, "", False, "none"))
    box.table.register(Action("told", "", Permission.CONFIG, schema, told))
    assert await deferToThread(act, tmp_path, "told", uid="x", alias=None) == {"uid": "x"}
    assert heard == [("x", "none")]


@pytest_twisted.ensureDeferred
async def test_what_the_box_did_not_do_is_said_in_its_words_alone(box, tmp_path):
    with pytest.raises(NotDone) as error:
        await deferToThread(act, tmp_path, "device.get", uid="mian")
    assert error.value.sentence == "There is nothing of this name: device mian (did you mean main?)"


def test_a_device_is_reported_with_what_it_does_not_say(box):
    state = device("x", alias="", model="", firmware="", health="silent", at=None, values={}, trouble="No answer.")
    who, how, first, *_ = device_report(whole_device_json(state))
    assert who == "x: 0420020081, MB_RTU_CCM, ID 1 on native"
    assert how == "  silent: No answer., last seen never"
    assert first.split() == ["i1", "current", "L1", "-", "A"]
    assert value_text({"value": 7}) == "7" and value_text({"value": 1.5, "unit": "kW"}) == "1.5 kW"


def test_a_box_that_is_not_running_is_said_so(tmp_path):
    with pytest.raises(NotAnswering) as error:
        ask(tmp_path, "/api/status")
    assert error.value.sentence == (
        f"No running concentrator answers: nobody listens at {tmp_path}/control.sock; is it running, and is this its "
        "state folder?"
    )


def test_a_socket_that_nobody_serves_any_more_is_said_so(tmp_path):
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / "control.sock"))
    dead.close()
    with pytest.raises(NotAnswering, match="nobody listens at"):
        ask(tmp_path, "/api/status")


def test_somebody_else_at_the_socket_is_said_so(tmp_path):
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "control.sock"))
        other.listen()
        waiting = deferred_answer(other, b"hello\r\n")
        with pytest.raises(NotAnswering, match=r"control\.sock: hello"):
            ask(tmp_path, "/api/status")
        waiting.join()


def deferred_answer(listening, answer):
    """Answers the first visitor from a thread of its own."""

    def serve():
        visitor, _ = listening.accept()
        visitor.recv(1000)
        visitor.sendall(answer)
        visitor.close()

    thread = threading.Thread(target=serve)
    thread.start()
    return thread
