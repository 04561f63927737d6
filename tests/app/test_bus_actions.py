"""concentrator.app.bus_actions: a scan beside polling, on a bus in real time."""

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.actions.tasks import RUNNING, Tasks, task_actions
from concentrator.actions.tracing import tracing_actions
from concentrator.api import LineState
from concentrator.app.actions import traces_of
from concentrator.app.bus_actions import bus_actions
from concentrator.dialect.modbus import dialects
from concentrator.line.endpoint import endpoint_from
from concentrator.line.line import Line
from concentrator.model.device import Device
from concentrator.model.errors import Busy
from concentrator.profile.catalogue import Catalogue
from concentrator.wire.conversation import LineSettings
from concentrator.wire.modbus import rtu_silence_s
from tests.support.bus import start_bus
from tests.support.web import StillWall, device

__all__ = ["start_bus"]

AT_9600 = LineSettings(9600)
CATALOGUE = Catalogue()
CCM = CATALOGUE.get("energycm/ccm")
EVERYBODY = Caller("test", frozenset(Permission))


class Owner:
    """The device at ID 2."""

    device = Device("main", "native", "energycm/ccm", 2)
    profile = CCM


class Field:
    """One line `native` whose meter at ID 2 is read without a pause, and what can be asked of it."""

    def __init__(self, port):
        self.wire = Line(
            "native",
            endpoint_from(reactor, f"serial:{port}:baudrate=9600"),
            reactor,
            AT_9600.character_s,
            rtu_silence_s(AT_9600),
        )
        self.station = dialects()["modbus-rtu"].station(CCM, 2, {"settings": AT_9600})
        self.is_polled, self.suspended = True, ""
        self.reads, self.failures, self.longest_s = 0, [], 0.0
        self.tasks = Tasks(StillWall())
        self.table = ActionTable(lambda entry: None)
        traces = traces_of(self)
        looking = bus_actions(self, CATALOGUE, self.tasks, traces, None)
        for action in (*looking, *task_actions(self.tasks), *tracing_actions(traces)):
            self.table.register(action)

    async def poll(self):
        while self.is_polled:
            began = reactor.seconds()
            try:
                await self.wire.run(2, self.station.read(self.station.blocks[0]))
            except Exception as error:
                self.failures.append(error)
            self.reads += 1
            self.longest_s = max(self.longest_s, reactor.seconds() - began)

    def line(self, name):
        return self.wire

    def wires(self):
        raise AssertionError("a scan needs the line only")

    def protocol(self, name):
        return "modbus-rtu"

    def traced(self, name):
        return self.wire.trace.exchanges()

    def at(self, name):
        return {2: Owner()}

    def line_states(self):
        return [LineState("native", "serial:x", self.wire.is_open, suspended=self.suspended)]

    def device_states(self):
        return [device("main", address=2, serial="0220020218"), device("behind", address=2, secondary=1)]

    def ask(self, name, **arguments):
        return self.table.call(name, arguments, EVERYBODY)

    async def over(self, task):
        while task.state == RUNNING:
            await deferLater(reactor, 0.05)


@pytest.fixture
def field(start_bus):
    bus = start_bus("--meters", "3", "--turnaround", "5")
    field = Field(bus.port)
    field.wire.start()
    yield field
    field.is_polled = False
    pytest_twisted.blockon(field.tasks.stop())
    pytest_twisted.blockon(field.wire.stop())


@pytest_twisted.ensureDeferred
async def test_a_scan_beside_polling_finds_who_is_there_while_every_poll_gets_its_answer(field):
    polling = Deferred.fromCoroutine(field.poll())
    begun = await field.ask("scan", line="native", first=1, last=5, while_polling=True)
    task = field.tasks.get(begun["task"])
    await field.over(task)
    field.is_polled = False
    await polling
    assert [(each["unit"], each["known"], each["serial"], each["answered"]) for each in task.result] == [
        (1, "", "0420020081", "function 03"),
        (2, "main", "0220020218", "answering"),
        (3, "", "0420050355", "function 03"),
    ]
    assert field.failures == [] and field.reads > 10
    asked = [each.request[0] for each in field.traced("native") if each.request[0] != 2]
    assert set(asked) == {1, 3, 4, 5}
    assert field.longest_s < 1.0


@pytest_twisted.ensureDeferred
async def test_polling_has_its_turn_between_any_two_questions_of_a_scan(field):
    polling = Deferred.fromCoroutine(field.poll())
    begun = await field.ask("scan", line="native", first=100, last=102, while_polling=True)
    await field.over(field.tasks.get(begun["task"]))
    field.is_polled = False
    await polling
    order = "".join("p" if each.request[0] == 2 else "s" for each in field.traced("native"))
    assert order.count("s") == 6 and "ss" not in order


@pytest_twisted.ensureDeferred
async def test_a_line_that_is_polled_is_not_scanned_unasked_and_a_suspended_one_not_at_all(field):
    with pytest.raises(Busy, match="is polled"):
        await field.ask("scan", line="native")
    field.suspended = "devices are being linked"
    with pytest.raises(Busy, match="devices are being linked"):
        await field.ask("scan", line="native", while_polling=True)


@pytest_twisted.ensureDeferred
async def test_a_scan_that_is_given_up_keeps_what_it_found_and_leaves_the_line_to_others(field):
    begun = await field.ask("scan", line="native", first=1, last=247, while_polling=True)
    task = field.tasks.get(begun["task"])
    while not task.result or len(task.result) < 2:
        await deferLater(reactor, 0.02)
    given_up = await field.ask("task.cancel", id=task.id)
    assert given_up["state"] == "cancelled" and given_up["result"][0]["unit"] == 1
    await field.wire.run(2, field.station.read(field.station.blocks[0]))


@pytest_twisted.ensureDeferred
async def test_the_trace_and_its_evidence_are_those_of_the_lines_own_devices(field):
    while not field.wire.is_open:
        await deferLater(reactor, 0.02)
    await field.wire.run(2, field.station.read(field.station.blocks[0]))
    (told,) = await field.ask("line.trace", line="native")
    assert (told["station"], told["device"], told["verdict"]) == ("2", "main", "")
    assert "[evidence.values]" in (await field.ask("line.evidence", line="native"))["toml"]
