import json
import tomllib
from pathlib import Path

import pytest
from attrs import frozen

from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.actions.tracing import Traces, tracing_actions
from concentrator.api import LineState
from concentrator.model.errors import OutOfRange, Unknown
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.load import parse_profile
from tests.support.web import NOW

PROFILE = Catalogue().get("energycm/ccm")
FILE = Path(__file__).parents[2] / "plugins/energycm/ccm.toml"
FAST, ENERGIES = PROFILE.evidence
READER = Caller("test", frozenset({Permission.READ}))


@frozen
class Exchange:
    station: object
    request: bytes
    received: bytes
    verdict: str = ""
    began: float = NOW
    ended: float = NOW + 0.1238


@pytest.fixture
def wire():
    """What went over the wire of the line `native`; ID 1 is the device `main`."""
    return [
        Exchange(1, FAST.request, FAST.response, began=NOW - 10),
        Exchange(2, b"\x02\x03\x00\x00\x00\x01\x84\x39", b"", "The device did not answer in time: nothing came."),
        Exchange(1, ENERGIES.request, ENERGIES.response),
        Exchange(1, FAST.request, FAST.response[:-1] + b"\0", "The answer is damaged: checksum"),
        Exchange(1, FAST.request, FAST.response, began=NOW + 2.5),
    ]


@pytest.fixture
def traces(wire):
    state = LineState("native", "serial:x", True, counters={"requests": 5}, stations={"1": {"requests": 4}})
    return Traces(lambda: [state], {"native": wire}.__getitem__, lambda _: {1: ("main", PROFILE)})


@pytest.fixture
def ask(traces):
    table = ActionTable(lambda entry: pytest.fail("reading is not audited"))
    for action in tracing_actions(traces):
        table.register(action)

    def ask(name, **arguments):
        found = []
        table.call(name, arguments, READER).addBoth(found.append)
        return found[0].value if hasattr(found[0], "value") else json.loads(json.dumps(found[0]))

    return ask


def test_the_last_exchanges_are_told_with_time_device_words_bytes_and_verdict(ask):
    found = ask("line.trace", line="native")
    assert len(found) == 5
    assert found[1] == {
        "at": "2026-11-21T09:41:07.000Z",
        "took_ms": 123.8,
        "station": "2",
        "device": "",
        "asked": "read 1 holding register at 0x0000",
        "request": "02 03 00 00 00 01 84 39",
        "received": "",
        "verdict": "The device did not answer in time: nothing came.",
    }
    assert (found[4]["at"], found[4]["device"]) == ("2026-11-21T09:41:09.500Z", "main")
    assert found[4]["asked"] == "read 52 holding registers at 0x0100"
    assert bytes.fromhex(found[4]["received"]) == FAST.response


def test_fewer_can_be_asked_for_the_newest_being_given(ask):
    assert [each["request"] for each in ask("line.trace", line="native", last=1)] == [FAST.request.hex(" ").upper()]
    assert len(ask("line.trace", line="native", last=1000)) == 5
    assert isinstance(ask("line.trace", line="native", last=-1), OutOfRange)


def test_a_line_is_told_with_its_stations_and_their_devices(ask):
    found = ask("line.get", line="native")
    assert (found["name"], found["counters"]) == ("native", {"requests": 5})
    assert (found["stations"], found["devices"]) == ({"1": {"requests": 4}}, {"1": "main"})


@pytest.mark.parametrize("action", ["line.get", "line.trace", "line.evidence"])
def test_an_unknown_line_is_answered_with_the_nearest_name(ask, action):
    error = ask(action, line="nativ")
    assert isinstance(error, Unknown)
    assert "line nativ (did you mean native?)" in str(error)


def test_the_newest_good_exchange_of_each_request_becomes_evidence_that_loads_with_the_profile(ask):
    text = ask("line.evidence", line="native")["toml"]
    assert text.startswith("# energycm/ccm.toml\n\n[[evidence]]\n")
    loaded = parse_profile(FILE.read_text() + "\n" + text, "energycm/ccm").evidence[2:]
    assert [(each.source, each.request, each.values) for each in loaded] == [
        ("captured on 2026-11-21T09:41:09Z, line native, Modbus ID 1", FAST.request, FAST.values),
        ("captured on 2026-11-21T09:41:07Z, line native, Modbus ID 1", ENERGIES.request, ENERGIES.values),
    ]


def test_what_no_profile_knows_gives_no_evidence(ask, wire):
    del wire[2:], wire[0]
    assert tomllib.loads(ask("line.evidence", line="native")["toml"]) == {}


def test_without_lines_there_is_nothing_to_trace():
    with pytest.raises(Unknown):
        Traces().told("native")
