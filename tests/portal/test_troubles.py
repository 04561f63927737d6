import pytest

from concentrator.api import InputState, LineState, UplinkState
from concentrator.model.trouble import Trouble as Said
from concentrator.portal.standing import Teller
from concentrator.portal.troubles import troubles
from concentrator.portal.words import say_in
from tests.support.web import MADRID, NOW, device

OPEN = LineState("native", "serial:/dev/ttyUSB0", True)
GONE = LineState("ext", "serial:/dev/ttyUSB1", False, Said("x", "unplugged", port="/dev/ttyUSB1"))


def plain(text):
    return text.replace("\u00a0", " ")


def found(devices, lines=(OPEN,), uplinks=(), language="en"):
    return list(troubles(devices, lines, uplinks, Teller(say_in(language), language, NOW, MADRID), MADRID))


def silent(uid, **fields):
    said = Said("The device did not answer in time", "no_reply")
    return device(uid, health="silent", trouble=said, tries=("no_reply",) * 3, **fields)


def test_when_all_is_well_nothing_is_open():
    assert found([device("a"), device("b", health="new", last_seen=None, values={})]) == []


@pytest.mark.parametrize(
    ("function", "sentence"),
    [("access_alarm", "Access alarm."), ("fire_alarm", "Fire alarm."), ("external_alarm", "External alarm.")],
)
def test_an_alarm_of_an_input_is_open_while_it_lasts(function, sentence):
    inputs = (InputState(False, function), InputState(True, function))
    teller = Teller(say_in("en"), "en", NOW, MADRID)
    (only,) = troubles([device("a")], (OPEN,), (), teller, MADRID, inputs)
    assert (only.severity, only.name, only.address, only.sentence) == ("trouble", "Input 2", "/panel", sentence)
    assert list(troubles([device("a")], (OPEN,), (), teller, MADRID, (InputState(True, "lamp_test"),))) == []


@pytest.mark.parametrize(
    ("alarm", "severity", "sentence"),
    [
        ("shutdown", "trouble", "Shut down by an alarm."),
        ("trip", "trouble", "Tripped by an alarm."),
        ("warning", "warning", "A warning."),
    ],
)
def test_an_alarm_of_a_genset_is_open_while_it_lasts(alarm, severity, sentence):
    (only,) = found([device("g1", alias="Farm", alarm=alarm), device("a", alarm="none"), device("b", alarm="unknown")])
    assert (only.severity, only.name, only.sentence) == (severity, "Farm", sentence)
    assert only.address == "/devices/g1/genset"


def test_one_silent_device_is_one_trouble_with_its_page():
    (only,) = found([device("a"), silent("work shop")])
    assert (only.severity, only.name, only.address) == ("trouble", "Work shop", "/devices/work%20shop")
    assert plain(only.sentence).startswith("No answer since 10:41: 3 of 3 tries timed out.")


def test_thirty_silent_meters_on_a_dead_line_are_one_trouble():
    many = [silent(f"m{n}", line="ext", address=n) for n in range(30)]
    assert [each.name for each in found([device("a"), *many], [OPEN, GONE])] == ["ext"]
    on_one = [silent(f"m{n}", address=n) for n in range(30)]
    (only,) = found(on_one)
    assert (only.name, only.address) == ("native", "/lines/native")


def test_late_answers_are_a_warning():
    late = device("a", health="doubtful", trouble=Said("x", "no_reply"), tries=("", "no_reply"))
    assert [each.severity for each in found([late, device("b")])] == ["warning"]


def test_a_line_in_link_mode_is_no_trouble():
    paused = LineState("native", "serial:x", True, suspended="link mode")
    assert found([device("a", quality="suspended")], [paused]) == []


def test_an_uplink_that_cannot_deliver_says_since_when_and_why():
    down = UplinkState("mqtt", "mqtt", "mqtts://b", False, NOW - 900, NOW - 1000, "The broker refused the password.", 5)
    (only,) = found([], uplinks=[down])
    assert (only.name, plain(only.sentence)) == ("MQTT", "Not connected since 10:26. The broker refused the password.")
    assert found([], uplinks=[UplinkState("ftp", "ftp", "x")]) == []
