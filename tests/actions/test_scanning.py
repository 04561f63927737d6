import pytest
from twisted.internet.defer import Deferred

from concentrator.actions.scanning import scanning_actions
from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.actions.tasks import Tasks
from concentrator.model.errors import Busy, OutOfRange, Unknown
from tests.support.web import StillWall

CALLER = Caller("test", frozenset({Permission.CONFIG}))


class Bus:
    """A line `native` that is used for `use`, and the scans that began on it."""

    def __init__(self):
        self.use = ""
        self.begun = []
        self.tasks = Tasks(StillWall())
        self.table = ActionTable(lambda entry: None)
        for action in scanning_actions(self.tasks, self.used_for, self.scan):
            self.table.register(action)

    def used_for(self, line):
        if line != "native":
            raise Unknown(f"line {line}")
        return self.use

    def scan(self, line, units, is_beside, tell):
        self.begun.append((line, units, is_beside))
        self.going_on = Deferred()
        return self.going_on

    def ask(self, **arguments):
        found = []
        self.table.call("scan", arguments, CALLER).addBoth(found.append)
        return found[0].value if hasattr(found[0], "value") else found[0]


@pytest.fixture
def bus():
    return Bus()


def test_a_line_that_nobody_uses_is_scanned_over_all_ids_by_a_task(bus):
    task = bus.tasks.get(bus.ask(line="native")["task"])
    assert bus.begun == [("native", range(1, 248), False)]
    bus.going_on.callback(["found"])
    assert (task.state, task.result) == ("done", ["found"])


def test_a_line_that_is_polled_is_scanned_only_when_asked_for_and_then_beside_polling(bus):
    bus.use = "polling"
    refused = bus.ask(line="native", first=2, last=9)
    assert isinstance(refused, Busy) and "while_polling" in str(refused)
    assert bus.begun == []
    bus.ask(line="native", first=2, last=9, while_polling=True)
    assert bus.begun == [("native", range(2, 10), True)]


def test_a_line_that_is_suspended_is_not_scanned_at_all(bus):
    bus.use = "link mode is on"
    refused = bus.ask(line="native", while_polling=True)
    assert isinstance(refused, Busy) and "link mode is on" in str(refused)
    assert bus.begun == []


def test_a_line_is_not_scanned_twice_at_once_but_again_afterwards(bus):
    bus.ask(line="native")
    assert isinstance(bus.ask(line="native"), Busy)
    bus.going_on.callback([])
    assert "task" in bus.ask(line="native")
    assert len(bus.begun) == 2


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"line": "native", "first": 9, "last": 2}, OutOfRange),
        ({"line": "native", "last": 248}, OutOfRange),
        ({"line": "native", "first": 0}, OutOfRange),
        ({"line": "other"}, Unknown),
    ],
)
def test_what_cannot_be_scanned_is_refused_before_anything_is_begun(bus, arguments, error):
    assert isinstance(bus.ask(**arguments), error)
    assert bus.begun == [] and bus.tasks.all() == []
