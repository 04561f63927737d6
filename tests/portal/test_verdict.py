import pytest

from concentrator.api import UplinkState
from concentrator.portal.verdict import service_name, verdict
from concentrator.portal.words import say_in
from tests.support.web import MADRID, NOW, device


def said(devices, uplinks, language="en"):
    return verdict(devices, uplinks, say_in(language), NOW, MADRID, language)


def uplink(name="mqtt", kind="mqtt", is_up=True, **fields):
    return UplinkState(name, kind, "x", is_up, fields.pop("since", NOW - 3600), **fields)


ALL = [device("a"), device("b")]


@pytest.mark.parametrize(
    ("devices", "uplinks", "sentence"),
    [
        ([], [], "No devices yet. No uplink is on. Data stays on this box."),
        ([device("a")], [uplink()], "The device answers. Data reaches MQTT."),
        (ALL, [uplink(), uplink("ftp", "ftp")], "All 2 devices answer. Data reaches MQTT and FTP."),
        (
            [device("a"), device("b", health="doubtful"), device("c", health="silent")],
            [uplink()],
            "2 of 3 devices do not answer. Data reaches MQTT.",
        ),
        ([device("a"), device("b", health="new")], [], "1 of 2 devices are not read yet. No uplink is on. Data stays"),
        (ALL, [uplink(is_up=False, since=None)], "All 2 devices answer. No connection to MQTT yet."),
        (ALL, [uplink(is_up=False)], "All 2 devices answer. No connection to MQTT since 09:41."),
        (
            ALL,
            [uplink("ftp", "ftp"), uplink("mqtt.cloud", is_up=False, waiting=12_000)],
            "No connection to MQTT cloud since 09:41. 12\u202f000 records wait on this box; none is lost.",
        ),
    ],
)
def test_the_first_sentence_says_whether_the_box_is_well(devices, uplinks, sentence):
    assert sentence in said(devices, uplinks)


def test_it_says_so_in_spanish():
    assert (
        said(ALL, [uplink(), uplink("ftp", "ftp")], "es") == "Responden los 2 equipos. Los datos llegan a MQTT y FTP."
    )


@pytest.mark.parametrize(
    ("name", "kind", "called"), [("mqtt", "mqtt", "MQTT"), ("mqtt.cloud", "mqtt", "MQTT cloud"), ("ftp", "ftp", "FTP")]
)
def test_a_service_is_called_by_its_name(name, kind, called):
    assert service_name(uplink(name, kind)) == called
