import json

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import globalLogPublisher

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import CODES, Action, ActionTable, AuditEntry, Caller, Permission, error_json
from concentrator.model.errors import (
    Busy,
    Denied,
    Full,
    Garbled,
    LineLost,
    NoReply,
    NotConfirmed,
    NotOfProfile,
    NotSignedIn,
    NotWritable,
    OutOfRange,
    Refused,
    Repeated,
    Stale,
    TooLarge,
    TooOften,
    TryLater,
    Unknown,
    WrongArguments,
)

ALL = Caller("socket", frozenset(Permission))
READER = Caller("page", frozenset({Permission.READ}))
VALUE = (Argument("value", Kind.NUMBER, "what to write", most=10),)


@pytest.fixture
def logged():
    events = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


class Told(list):
    """What happened, in order: audit entries and calls."""

    def table(self, *actions):
        table = ActionTable(
            lambda entry: self.append((entry.caller, entry.action, dict(entry.arguments), entry.outcome))
        )
        for action in actions:
            table.register(action)
        return table

    def write(self, result=None):
        def call(value):
            self.append(("called", value))
            if isinstance(result, Exception):
                raise result
            return result

        return Action("write", "Writes.", Permission.WRITE, VALUE, call)


def test_an_action_that_depends_on_who_asks_is_told_who_it_is():
    told = Told()
    whose = Action("whose", "", Permission.READ, VALUE, lambda caller, value: (caller, value), heeds_caller=True)
    assert outcome(told.table(whose).call("whose", {"value": 1}, READER)) == (READER, 1)


def test_the_audit_sees_of_arguments_what_the_action_lets_it_see():
    told = Told()
    hidden = Action(
        "hidden", "", Permission.CONFIG, VALUE, lambda value: None, audited=lambda given: dict.fromkeys(given, "…")
    )
    table = told.table(hidden)
    outcome(table.call("hidden", {"value": 1}, ALL))
    table.call("hidden", {"value": "secret"}, ALL).addErrback(lambda failure: None)
    table.call("hidden", {"secret": "secret"}, READER).addErrback(lambda failure: None)
    assert [entry[2] for entry in told] == [{"value": "…"}, {"value": "…"}, {"value": "…"}, {"secret": "…"}]


def test_the_class_of_an_action_can_be_asked_before_it_is_called():
    table = Told().table(Told().write())
    assert table.permission("write") is Permission.WRITE
    assert table.permission("wirte") is None


def outcome(deferred):
    found = []
    deferred.addBoth(found.append)
    assert found, "not fired"
    return found[0]


def error(deferred):
    return outcome(deferred).value


def test_a_read_gives_its_result_and_is_not_audited():
    told = Told()
    table = told.table(Action("now", "Now.", Permission.READ, (), lambda: {"ok": 1}))
    assert outcome(table.call("now", {}, READER)) == {"ok": 1}
    assert told == []


def test_what_is_not_read_is_audited_before_anything_is_done_and_after():
    told = Told()
    assert outcome(told.table(told.write("yes")).call("write", {"value": 3}, ALL)) == "yes"
    assert told == [
        ("socket", "write", {"value": 3}, "begun"),
        ("called", 3),
        ("socket", "write", {"value": 3}, "done"),
    ]


def test_an_action_that_takes_its_time_is_done_when_it_is_done():
    told = Told()
    later = Deferred()
    answer = told.table(told.write(later)).call("write", {"value": 3}, ALL)
    assert [entry[-1] for entry in told] == ["begun", 3]
    later.callback("yes")
    assert outcome(answer) == "yes"
    assert told[-1] == ("socket", "write", {"value": 3}, "done")


def test_a_caller_without_permission_is_refused_and_nothing_is_done():
    told = Told()
    refused = error(told.table(told.write()).call("write", {"value": 3}, READER))
    assert isinstance(refused, Denied)
    assert refused.detail == "action write needs write, page is allowed read"
    assert told == [("page", "write", {"value": 3}, "denied")]


def test_permission_comes_before_arguments_so_that_a_stranger_learns_nothing():
    told = Told()
    assert isinstance(error(told.table(told.write()).call("write", {"vlaue": 3}, READER)), Denied)


def test_wrong_arguments_are_refused_and_nothing_is_done():
    told = Told()
    refused = error(told.table(told.write()).call("write", {"value": 11}, ALL))
    assert isinstance(refused, OutOfRange)
    assert str(refused) == "An argument is outside its range: value: found 11, expected a number of at most 10"
    assert told == [("socket", "write", {"value": 11}, "out_of_range")]


def test_an_action_that_fails_is_audited_with_its_error():
    told = Told()
    assert isinstance(error(told.table(told.write(NotConfirmed("x"))).call("write", {"value": 1}, ALL)), NotConfirmed)
    assert told[-1][-1] == "not_confirmed"


def test_an_action_that_breaks_down_is_logged_and_its_words_stay_inside(logged):
    told = Told()
    broken = error(told.table(told.write(ZeroDivisionError("a secret"))).call("write", {"value": 1}, ALL))
    assert told[-1][-1] == "failed"
    assert error_json(broken) == {"code": "failed", "message": "This failed inside the box; its log says why."}
    assert [event["log_failure"].type for event in logged if "log_failure" in event] == [ZeroDivisionError]


def test_nothing_is_done_that_cannot_be_audited():
    def audit(entry: AuditEntry) -> None:
        raise OSError("disk full")

    done = []
    table = ActionTable(audit)
    table.register(Action("write", "Writes.", Permission.WRITE, (), lambda: done.append(1)))
    assert isinstance(error(table.call("write", {}, ALL)), OSError)
    assert done == []


def test_an_unknown_action_is_answered_with_the_nearest_name():
    told = Told()
    refused = error(told.table(told.write()).call("wirte", {}, ALL))
    assert str(refused) == "There is nothing of this name: action wirte (did you mean write?)"


def test_two_actions_cannot_have_one_name():
    told = Told()
    table = told.table(told.write())
    with pytest.raises(ValueError, match="write"):
        table.register(told.write())


def test_the_table_describes_itself_as_json():
    told = Told()
    table = told.table(told.write(), Action("now", "Now.", Permission.READ, (), dict))
    described = json.loads(json.dumps(table.describe()))
    assert [(action["name"], action["permission"]) for action in described] == [("now", "read"), ("write", "write")]
    assert described[1]["arguments"]["required"] == ["value"]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Denied("x"), "denied"),
        (Unknown("x"), "unknown"),
        (WrongArguments("x"), "wrong_arguments"),
        (OutOfRange("x"), "out_of_range"),
        (NotWritable("x"), "not_writable"),
        (NotConfirmed("x"), "not_confirmed"),
        (Busy("x"), "busy"),
        (TooOften("x"), "too_often"),
        (Stale("x"), "stale"),
        (Repeated("x"), "repeated"),
        (TooLarge("x"), "too_large"),
        (NoReply("x"), "no_reply"),
        (LineLost("x"), "line_lost"),
        (Garbled("x"), "wire_error"),
        (Refused(2), "wire_error"),
        (NotOfProfile("x"), "not_of_profile"),
        (NotSignedIn("x"), "not_signed_in"),
        (TryLater("x"), "try_later"),
        (Full("x"), "failed"),
    ],
)
def test_codes_are_a_contract(kind, code):
    assert error_json(kind) == {"code": code, "message": str(kind)}
    assert code in CODES


def promising(made, *names):
    """Makes those actions, and notes that it was asked to."""

    def make():
        made.append(names)
        return [Action(name, "Does it.", Permission.READ, (), lambda name=name: name) for name in names]

    return make


def test_promised_actions_are_made_when_the_first_is_asked_for_and_once():
    made, table = [], ActionTable(lambda entry: None)
    table.promise(("mbus.read", "mbus.search"), promising(made, "mbus.read", "mbus.search"))
    table.promise(("scan",), promising(made, "scan"))
    assert table.has("scan") and not table.has("scam") and table.permission("scam") is None
    table.call("scam", {}, READER).addErrback(lambda failure: failure.trap(Unknown))
    assert made == []
    for name in ("mbus.search", "mbus.read"):
        found = []
        table.call(name, {}, READER).addCallback(found.append)
        assert found == [name]
    assert made == [("mbus.read", "mbus.search")]
    assert [each["name"] for each in table.describe()] == ["mbus.read", "mbus.search", "scan"] and len(made) == 2


def test_a_promise_that_is_not_kept_or_made_twice_is_a_fault():
    table = ActionTable(lambda entry: None)
    table.promise(("scan", "probe"), promising([], "scan"))
    with pytest.raises(RuntimeError, match="promised scan, probe, made scan"):
        table.describe()
    with pytest.raises(ValueError, match="probe"):
        table.promise(("probe",), promising([], "probe"))
