import json

import pytest
from twisted.internet.defer import Deferred, fail, succeed

from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.actions.tasks import KEPT, Tasks, task_actions
from concentrator.model.errors import Busy, Cancelled, Unknown
from tests.support.web import StillWall

EVERYBODY = Caller("test", frozenset(Permission))


@pytest.fixture
def wall():
    return StillWall()


@pytest.fixture
def tasks(wall):
    return Tasks(wall)


class Work:
    """Work that goes on until the test ends it."""

    def __init__(self, ends_with=None):
        self.ends_with = ends_with
        self.cancelled = 0
        self.ending = Deferred(self.cancel)

    def cancel(self, ending):
        self.cancelled += 1
        if self.ends_with is not None:
            ending.errback(self.ends_with)

    def __call__(self, tell):
        self.tell = tell
        return self.ending


def test_a_task_says_how_far_it_is_and_what_it_found_so_far(tasks, wall):
    work = Work()
    task = tasks.start("scan", work)
    assert (task.state, task.progress, task.text, task.result) == ("running", 0.0, "", None)
    work.tell(0.25, "ID 61", [3])
    assert (task.progress, task.text, task.result) == (0.25, "ID 61", [3])
    work.tell(0.2, "ID 62")
    assert (task.progress, task.text, task.result) == (0.25, "ID 62", [3])
    wall.at += 60
    work.ending.callback([3, 9])
    assert json.loads(json.dumps(task.as_json())) == {
        "id": task.id,
        "name": "scan",
        "state": "done",
        "progress": 1.0,
        "text": "ID 62",
        "result": [3, 9],
        "error": None,
        "started": "2026-11-21T09:41:07Z",
        "ended": "2026-11-21T09:42:07Z",
    }
    work.tell(0.1, "too late", [])
    assert (task.text, task.result) == ("ID 62", [3, 9])


def test_a_task_that_fails_says_why_in_the_words_of_its_error(tasks):
    task = tasks.start("x", lambda tell: fail(Busy("link mode is on")))
    assert (task.state, task.error["code"]) == ("failed", "busy")
    assert task.error["message"].endswith("link mode is on")


def test_what_breaks_down_tells_nobody_outside_why(tasks):
    from twisted.logger import globalLogPublisher

    seen = []
    globalLogPublisher.addObserver(seen.append)
    try:
        task = tasks.start("x", lambda tell: 1 / 0)
    finally:
        globalLogPublisher.removeObserver(seen.append)
    assert (task.state, task.error["code"]) == ("failed", "failed")
    assert "division" not in task.error["message"]
    assert any("log_failure" in event for event in seen)


@pytest.mark.parametrize("ends_with", [None, Cancelled("nobody wanted the answer any more")])
def test_a_task_that_is_given_up_keeps_what_it_found(tasks, ends_with):
    work = Work(ends_with)
    task = tasks.start("x", work)
    work.tell(0.5, "half", ["one"])
    task.cancel()
    assert (task.state, task.result, task.error) == ("cancelled", ["one"], None)
    task.cancel()
    assert work.cancelled == 1


def test_ids_are_short_and_no_two_starts_of_the_box_give_the_same(wall):
    first = Tasks(wall)
    ids = [first.start("x", lambda tell: succeed(None)).id for _ in range(3)]
    wall.at += 1
    second = Tasks(wall)
    ids += [second.start("x", lambda tell: succeed(None)).id for _ in range(3)]
    assert len(set(ids)) == 6
    assert all(len(id) <= 12 for id in ids)


def test_the_last_that_are_over_are_remembered_and_those_that_run_all(tasks):
    running = tasks.start("long", Work())
    over = [tasks.start(str(n), lambda tell: succeed(None)) for n in range(KEPT + 5)]
    assert tasks.all() == [running, *over[5:]]
    with pytest.raises(Unknown):
        tasks.get(over[0].id)
    assert tasks.get(over[5].id) is over[5]


def test_at_the_end_of_the_box_all_that_run_are_given_up_and_waited_for(tasks):
    quick, slow, tidied = Work(), Work(), Deferred()
    slow.ending.addErrback(lambda failure: tidied.addCallback(lambda _: failure))
    first, second = tasks.start("quick", quick), tasks.start("slow", slow)
    stopped = []
    tasks.stop().addCallback(stopped.append)
    assert (first.state, second.state, stopped) == ("cancelled", "running", [])
    tidied.callback(None)
    assert (second.state, len(stopped)) == ("cancelled", 1)


def test_tasks_are_asked_for_and_given_up_by_action(tasks):
    table = ActionTable(lambda entry: None)
    for action in task_actions(tasks):
        table.register(action)

    def ask(name, **arguments):
        found = []
        table.call(name, arguments, EVERYBODY).addBoth(found.append)
        return found[0]

    task = tasks.start("scan", Work())
    assert ask("task.get", id=task.id)["state"] == "running"
    assert [each["id"] for each in ask("task.list")] == [task.id]
    assert ask("task.cancel", id=task.id)["state"] == "cancelled"
    assert ask("task.get", id=task.id + "0").check(Unknown)
    permissions = {action["name"]: action["permission"] for action in table.describe()}
    assert permissions == {"task.get": "read", "task.list": "read", "task.cancel": "config"}
