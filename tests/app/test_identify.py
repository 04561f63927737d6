"""concentrator.app.identify, and what of it the running box does: who is at a Modbus ID, on a bus in real time."""

import json
import subprocess
import sys
from contextlib import suppress
from io import StringIO

import attrs
import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater

from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.actions.tasks import RUNNING, Tasks, task_actions
from concentrator.actions.tracing import tracing_actions
from concentrator.api import LineState
from concentrator.app.actions import traces_of
from concentrator.app.bus_actions import bus_actions, prober
from concentrator.app.config_sections import LineSection
from concentrator.app.identify import (
    OfflineIdentify,
    Search,
    further_wires,
    identify_alone,
    identify_through_the_box,
    identity_lines,
)
from concentrator.app.progress import Bar
from concentrator.app.scan import Place, Wire, wires_of
from concentrator.app.wires import FieldSide, build_wire
from concentrator.line.endpoint import endpoint_from
from concentrator.line.line import Line
from concentrator.line.serial_address import parse_serial
from concentrator.model.device import Device
from concentrator.model.errors import Busy, LineLost, NoReply, Unknown, WrongArguments
from concentrator.model.profile import SerialDefaults
from concentrator.poll.enquiry import Sign
from concentrator.poll.identify import Identity
from concentrator.profile.catalogue import Catalogue
from tests.support.bus import start_bus
from tests.support.web import StillWall

__all__ = ["start_bus"]

CATALOGUE = Catalogue()
CCM = CATALOGUE.get("energycm/ccm")
OWNER = Caller("test", frozenset(Permission))


@attrs.frozen
class Owner:
    """A device at its Modbus ID."""

    device: Device
    profile: object = CCM


class Box:
    """One line `solar` as a running box has it; its devices are read every second."""

    def __init__(self, port, *units):
        self.readings, self.events, self.taken = [], [], {}
        side = FieldSide(
            reactor,
            reactor,
            StillWall(),
            self.readings.append,
            lambda name, facts: self.events.append(name),
            lambda uid, values: "",
            lambda uid, name: None,
        )
        section = LineSection(endpoint=f"serial:{port}:baudrate=9600", role="external")
        self.wire = build_wire("solar", section, side)
        self.owners = {}
        for unit in units:
            device = Device(f"m{unit}", "solar", CCM.key, unit, interval_s=1.0)
            self.owners[unit] = Owner(device)
            self.wire.poller.add(device, self.wire.station(device, CCM))
        self.tasks, self.table = Tasks(StillWall()), ActionTable(lambda entry: None)
        self.probe = prober(self, CATALOGUE, lambda line, address, secondary: self.taken.get(address, ""))
        traces = traces_of(self)
        looking = bus_actions(self, CATALOGUE, self.tasks, traces, self.probe)
        for action in (*looking, *task_actions(self.tasks), *tracing_actions(traces)):
            self.table.register(action)
        self.wire.start()

    def wires(self):
        return {"solar": self.wire}

    def line(self, name):
        return self.wires()[name].line

    def protocol(self, name):
        return "modbus-rtu"

    def traced(self, name):
        return self.line(name).trace.exchanges()

    def at(self, name):
        return self.owners

    def line_states(self):
        return [LineState("solar", "", self.wire.line.is_open, suspended=self.wire.poller.suspended)]

    def device_states(self):
        return []

    def ask(self, name, **arguments):
        return self.table.call(name, {"line": "solar", **arguments}, OWNER)

    async def identify(self, unit):
        task = self.tasks.get((await self.ask("device.identify", address=unit))["task"])
        while task.state == RUNNING:
            await deferLater(reactor, 0.02)
        assert task.error is None, task.error
        return task.result

    async def end(self):
        await self.tasks.stop()
        await self.wire.stop()


@pytest.fixture
def start_box(start_bus):
    boxes = []

    def start(*units, meters=3):
        bus = start_bus("--meters", str(meters), "--turnaround", "5", name=f"bus{len(boxes)}")
        boxes.append(Box(bus.port, *units))
        return boxes[-1], bus

    yield start
    for box in boxes:
        pytest_twisted.blockon(Deferred.fromCoroutine(box.end()))


@pytest_twisted.ensureDeferred
async def test_a_device_is_identified_beside_polling_and_every_poll_gets_its_answer(start_box):
    box, _ = start_box(2)
    found = await box.identify(3)
    assert (found["line"], found["unit"], found["settings"], found["known"]) == ("solar", 3, "9600 8N1", "")
    assert [(each["profile"], each["rules"], each["missing"]) for each in found["profiles"]] == [("energycm/ccm", 1, 0)]
    assert found["serial"] == "0420050355" and {"p", "v1"} <= set(found["first"])
    assert found["text"] == "What answers at ID 3 with 9600 8N1 fits the rule of energyCM CcM."
    assert json.loads(json.dumps(found)) == found
    counters = box.wire.line.station_counters(2)
    assert counters.answers > 0 and counters.timeouts == counters.garbled == 0
    assert box.events == []
    assert (await box.identify(2))["known"] == "m2"


@pytest_twisted.ensureDeferred
async def test_polling_has_its_turn_between_any_two_questions(start_box):
    box, _ = start_box(2)
    station = box.wire.station(box.owners[2].device, CCM)
    is_over, reads = [], []

    async def always():
        while not is_over:
            with suppress(NoReply):  # a busy machine may be late
                reads.append(await box.wire.line.run(2, station.read(station.blocks[0])))

    polling = Deferred.fromCoroutine(always())
    await box.identify(3)
    is_over.append(True)
    await polling
    order = "".join("p" if each.request[0] == 2 else "i" for each in box.traced("solar"))
    assert order.count("i") > 5 and "ii" not in order


@pytest_twisted.ensureDeferred
async def test_nobody_is_looked_for_with_other_settings_while_devices_are_read(start_box):
    box, _ = start_box(2)
    found = await box.identify(9)
    assert found["text"] == (
        "Nothing answered at ID 9 with 9600 8N1. Tried 1 setting, for other devices of the line are read with it."
    )
    assert (found["answered"], found["profiles"], found["tried"]) == ("", [], 1)
    assert box.wire.line.counters.opened == 1


@pytest_twisted.ensureDeferred
async def test_on_a_line_without_devices_a_device_with_other_settings_is_found_and_the_line_is_given_back(
    start_box, start_bus
):
    box, _ = start_box(meters=1)
    other = start_bus("--meters", "3", "--instant", name="other")
    tried, seen = [], []

    def tuned(at):
        """A pseudo-terminal has no speed, so that the device with another one hangs on another."""
        tried.append(at.framing)
        seen.append((box.wire.line.is_open, box.wire.poller.suspended))
        path = other.port if at.framing == "19200 8E1" else at.path
        return Line("solar", endpoint_from(reactor, f"serial:{path}"), reactor)

    box.wire = attrs.evolve(box.wire, tuned=tuned)
    found = await box.identify(3)
    assert (found["answered"], found["settings"], found["line_settings"]) == ("function 03", "19200 8E1", "9600 8N1")
    assert found["endpoint"] == box.wire.section.endpoint.replace("9600", "19200:parity=E")
    assert "The line has 9600 8N1: its endpoint must be serial:" in found["text"]
    assert found["tried"] == 1 + len(tried) and len(set(tried)) == len(tried) and "9600 8N1" not in tried
    assert set(seen) == {(False, "a device is looked for with other settings")}
    assert box.wire.line.is_open and box.wire.poller.suspended == ""
    assert box.events == [], "nobody is told that the line was lost"
    assert (await box.identify(1))["profiles"][0]["profile"] == "energycm/ccm"


@pytest_twisted.ensureDeferred
async def test_a_search_that_is_given_up_gives_the_line_back(start_box):
    box, _ = start_box(meters=1)
    task = box.tasks.get((await box.ask("device.identify", address=9))["task"])
    while not box.wire.poller.suspended:
        await deferLater(reactor, 0.02)
    with pytest.raises(Busy):
        await box.ask("device.probe", profile="energycm/ccm", address=1)
    task.cancel()
    while task.state == RUNNING or not box.wire.line.is_open:
        await deferLater(reactor, 0.02)
    assert (task.state, box.wire.poller.suspended) == ("cancelled", "")


@pytest_twisted.ensureDeferred
async def test_a_device_is_probed_without_being_kept(start_box):
    box, _ = start_box(2)
    found = await box.ask("device.probe", profile="energycm/ccm", address=1)
    assert (found["serial"], found["missing"], found["misfits"], found["rules"]) == ("0420020081", [], [], 1)
    assert {"name", "label", "value", "unit"} == set(found["values"][0])
    assert found["took_s"] > 0
    with pytest.raises(NoReply, match="nothing answered at ID 9 with 9600 8N1"):
        await box.ask("device.probe", profile="energycm/ccm", address=9)
    with pytest.raises(WrongArguments, match=r"did you mean energycm/ccm\?"):
        await box.ask("device.probe", profile="energycm/cmc", address=1)
    with pytest.raises(WrongArguments, match="expected one that is read by modbus-rtu"):
        await box.ask("device.probe", profile="mbus/generic", address=1)
    with pytest.raises(WrongArguments, match="expected none, or one that eastron/sdm120 knows of"):
        await box.ask("device.probe", profile="eastron/sdm120", address=1, secondary=1)
    with pytest.raises(Unknown, match=r"line solr \(did you mean solar\?\)"):
        await box.probe("solr", "energycm/ccm", 1, None)
    for address in (0, 248, 1.5, "1"):
        with pytest.raises(WrongArguments, match="address: found"):
            await box.probe("solar", "energycm/ccm", address, None)
    box.wire.poller.suspended = "devices are being linked"
    with pytest.raises(Busy, match="devices are being linked"):
        await box.probe("solar", "energycm/ccm", 1, None)
    box.wire.poller.suspended = ""
    box.taken[1] = "ID Modbus: 1 is taken."
    with pytest.raises(WrongArguments, match="ID Modbus: 1 is taken"):
        await box.ask("device.probe", profile="energycm/ccm", address=1)


@pytest_twisted.ensureDeferred
async def test_a_device_is_probed_with_the_settings_it_left_the_factory_with_where_no_other_would_miss_the_line(
    start_box, start_bus
):
    box, _ = start_box(meters=1)
    other = start_bus("--meters", "3", "--instant", name="other")
    tuned = []

    def with_(at):
        tuned.append(at.framing)
        return Line("solar", endpoint_from(reactor, f"serial:{other.port}"), reactor)

    box.wire = attrs.evolve(box.wire, tuned=with_)
    found = await box.ask("device.probe", profile="siemens/pac", address=3)
    assert (tuned, found["settings"], found["line_settings"]) == (["19200 8N2"], "19200 8N2", "9600 8N1")
    assert found["endpoint"] == box.wire.section.endpoint.replace("9600", "19200:stopbits=2")
    assert box.wire.line.is_open and box.wire.poller.suspended == "" and box.events == []
    with pytest.raises(NoReply, match="nothing answered at ID 9 with 9600 8N1 or 19200 8N2"):
        await box.ask("device.probe", profile="siemens/pac", address=9)
    polled, _ = start_box(2, meters=2)
    with pytest.raises(NoReply, match=r"nothing answered at ID 9 with 9600 8N1 \("):
        await polled.ask("device.probe", profile="siemens/pac", address=9)


@pytest_twisted.ensureDeferred
async def test_another_device_than_its_profile_says_is_noticed(start_box):
    box, _ = start_box()
    found = await box.ask("device.probe", profile="carlo-gavazzi/em24-e1", address=1)
    assert found["misfits"] == ["model code: found 0, expected 1648..1653"]


# --- a port that nobody holds ---------------------------------------------------------------------------------------


def place(endpoint, **more):
    return Place(endpoint, "modbus-rtu", more.pop("known", {}), CATALOGUE, **more)


@pytest_twisted.ensureDeferred
async def test_a_free_port_is_looked_at_with_the_settings_that_devices_leave_the_factory_with(start_bus):
    bus = start_bus("--meters", "1", "--instant")
    endpoint = f"serial:{bus.port}:baudrate=9600:parity=N"
    told = []
    search = OfflineIdentify(place(endpoint), wires_of(endpoint), 9, 0.05, True, lambda *each: told.append(each))
    found = await search.over(reactor, reactor)
    assert found["answered"] == "" and found["tried"] + len(found["untried"]) >= 5
    assert found["text"] == f"Nothing answered at ID 9 with 9600 8N1. Tried {found['tried']} settings."
    done = [each[0] for each in told]
    assert done == sorted(done)
    only = OfflineIdentify(place(endpoint), wires_of(endpoint), 9, 0.05, False, lambda *each: None)
    assert (await only.over(reactor, reactor))["tried"] == 1


@pytest_twisted.ensureDeferred
async def test_a_free_port_says_who_is_there(start_bus):
    bus = start_bus("--meters", "2", "--instant")
    endpoint = f"serial:{bus.port}:baudrate=9600"
    where = place(endpoint, known={2: "shed"}, line="solar")
    found = await OfflineIdentify(where, wires_of(endpoint), 2, 0.1, True, lambda *each: None).over(reactor, reactor)
    assert (found["known"], found["serial"], found["endpoint"]) == ("shed", "0220020218", endpoint)
    lines = list(identity_lines(found))
    assert lines[0] == "What answers at ID 2 with 9600 8N1 fits the rule of energyCM CcM."
    assert lines[3].split() == ["energycm/ccm", "1", str(len(found["values"])), "0", "energyCM", "CcM", "proposed"]
    assert any(line.split()[:3] == ["v1", "voltage", "L1"] for line in lines)
    assert lines[-1] == "It is shed in the configuration."
    (*_, last) = identity_lines(found | {"known": ""})
    assert last == "To add it: ccmaster devices add UID --line solar --profile energycm/ccm --address 2"


def test_the_command_says_who_is_at_a_free_port(start_bus):
    bus = start_bus("--meters", "1", "--instant")
    words = [sys.executable, "-m", "concentrator.app.cli", "identify", f"serial:{bus.port}:baudrate=9600:parity=N"]
    done = subprocess.run([*words, "1", "--json"], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["serial"], found["profiles"][0]["profile"]) == ("0420020081", "energycm/ccm")
    done = subprocess.run([*words, "9", "--only"], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "Nothing answered at ID 9 with 9600 8N1. Tried 1 setting.\n")


def test_a_port_that_is_not_there_is_said_in_words(monkeypatch, tmp_path):
    wires = wires_of(f"serial:{tmp_path}/none:baudrate=9600:parity=N")
    search = OfflineIdentify(place(wires[0].endpoint), wires, 9, 0.05, False, lambda *each: None)

    def run(what):
        found = []
        Deferred.fromCoroutine(what.over(reactor, Clock())).addBoth(found.append)
        found[0].raiseException()

    monkeypatch.setattr("concentrator.app.identify.run_alone", run)
    found, trouble = identify_alone(search, Bar(StringIO()))
    assert found is None and "the port is not there" in trouble


ENDPOINT = "serial:/dev/a:baudrate=9600:rs485=on"
OWN = Wire(ENDPOINT, parse_serial(ENDPOINT))


def told(sign=None, other="", **more):
    search = Search(None, None, None)
    search.seen(OWN if not other else further_wires(OWN, [SerialDefaults(19200, "E")])[0], Identity(7, sign, **more))
    return search.told("solar", OWN)


def test_settings_are_tried_once_each_and_keep_what_else_the_endpoint_says():
    usual = [SerialDefaults(9600), SerialDefaults(19200, "E"), SerialDefaults(19200, "E"), SerialDefaults(9600, "N", 2)]
    further = further_wires(OWN, usual)
    assert [wire.settings for wire in further] == ["19200 8E1", "9600 8N2"]
    assert {wire.serial.rs485 for wire in further} == {"on"}
    assert further_wires(Wire("tcp:10.0.0.5:502", None), usual) == []
    found = told(Sign("function 03"), other="19200 8E1")
    assert found["endpoint"] == "serial:/dev/a:baudrate=19200:parity=E:rs485=on"


def test_what_was_found_is_said_in_a_sentence():
    assert told()["text"] == "Nothing answered at ID 7 with 9600 8N1. Tried 1 setting."
    assert told(Sign("function 03"))["text"] == (
        "A device answers at ID 7 with 9600 8N1, but fits no profile's rules: choose one by its name."
    )
    assert told(Sign("function 03", "The answer is damaged: checksum"))["text"] == (
        "What answers at ID 7 with 9600 8N1 is not to be understood: The answer is damaged: checksum."
    )
    network = Search(None, None, None)
    network.seen(Wire("tcp:10.0.0.5:502", None), Identity(7))
    assert network.told("roof", Wire("tcp:10.0.0.5:502", None))["text"] == "Nothing answered at ID 7."


def test_damage_with_one_setting_gives_way_to_a_device_with_another_but_not_to_silence():
    search, fast = Search(None, None, None), further_wires(OWN, [SerialDefaults(19200, "E"), SerialDefaults(2400)])
    assert not search.seen(OWN, Identity(7, Sign("function 03", "damaged")))
    assert not search.seen(fast[0], Identity(7))
    assert search.told("solar", OWN)["trouble"] == "damaged"
    assert search.seen(fast[1], Identity(7, Sign("function 03")))
    assert search.told("solar", OWN)["settings"] == "2400 8N1"


@pytest_twisted.ensureDeferred
async def test_settings_that_the_port_does_not_take_are_no_end_of_a_search_that_has_tried_others(tmp_path):
    def none(wire):
        return Line("solar", endpoint_from(reactor, f"serial:{tmp_path}/none"), reactor)

    search, further = Search(None, none, None), further_wires(OWN, [SerialDefaults(19200, "E")])
    with pytest.raises(LineLost):
        await search.over(further, reactor)
    search = Search(None, none, None)
    search.seen(OWN, Identity(7))
    await search.over(further, reactor)
    assert search.told("solar", OWN)["untried"] == [f"19200 8E1: {tmp_path}/none: the port is not there"]


def test_the_running_box_is_asked_and_watched(monkeypatch, tmp_path):
    asked = []

    def act(state_dir, name, **arguments):
        asked.append((name, arguments))
        if name == "device.identify":
            return {"task": "a-1"}
        return {"state": "done", "progress": 1.0, "text": "", "result": {"unit": 7}, "error": None}

    monkeypatch.setattr("concentrator.app.identify.act", act)
    monkeypatch.setattr("concentrator.app.scan.act", act)
    assert identify_through_the_box(tmp_path, "solar", 7, Bar(StringIO())) == ({"unit": 7}, "")
    assert asked[0] == ("device.identify", {"line": "solar", "address": 7})
