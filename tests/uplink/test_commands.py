"""concentrator.uplink.commands: what strangers publish, and what they get for it."""

import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, ActionTable, Caller, Permission
from concentrator.journal.orders import OrderBook
from concentrator.model.errors import JournalError, NotConfirmed
from concentrator.uplink.commands import Commands, Gate
from concentrator.uplink.order import LONGEST
from concentrator.uplink.remembered import MOST, Remembered
from tests.support.journals import Bench
from tests.support.web import NOW, StillWall

BOTH = frozenset({Permission.READ, Permission.WRITE})


class Paper:
    """A ledger that outlives a box; `stuck` is how its disk is: True for one that never answers, or an error."""

    def __init__(self):
        self.rows_ = {}
        self.stuck = None
        self.noted = []

    def rows(self):
        return self._done([(key, *row) for key, row in self.rows_.items()])

    def begin(self, id, digest, keep):
        self.noted.append(id)
        self.rows_[id] = (digest, None)
        return self._done(None)

    def end(self, id, answer):
        self.rows_[id] = (self.rows_[id][0], answer)
        return self._done(None)

    def _done(self, result):
        if self.stuck is None:
            return succeed(result)
        return Deferred() if self.stuck is True else fail(self.stuck)


class Box:
    """A box whose actions are `echo` (read), `write` (write), `list`, `parts` and `reboot`; `said` are the answers."""

    def __init__(self, clock, allowed=BOTH, ledger=None, gate=None, remembered=None):
        self.clock, self.wall = clock, StillWall()
        self.ledger = ledger or Paper()
        self.written, self.said, self.audit = [], [], []
        self.result = None
        table = ActionTable(self.audit.append)
        value = Argument("value", Kind.INTEGER, "what", False, 0, most=10)
        for name, permission, call in (
            ("echo", Permission.READ, lambda value: value if self.result is None else self.result),
            ("write", Permission.WRITE, self.write),
            ("reboot", Permission.SYSTEM, lambda value: self.written.append("reboot")),
        ):
            table.register(Action(name, "", permission, (value,), call))
        self.remembered = remembered or Remembered(self.ledger)
        caller = Caller("mqtt", frozenset(allowed))
        self.commands = Commands(
            "/ccm/dev/42/cmd", caller, table.call, table.permission, self.remembered, clock, self.wall, gate or Gate()
        )

    def write(self, value):
        self.written.append(value)
        return value if self.result is None else self.result

    def send(self, payload, is_retained=False, answer=None):
        payload = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.commands.received(payload, is_retained, answer or self.said.append)
        return self

    def answers(self):
        found, self.said[:] = [json.loads(each) for each in self.said], []
        return found

    def ask(self, payload, **how):
        """The only answer to a payload."""
        (answer,) = self.send(payload, **how).answers()
        return answer

    def code(self, payload, **how):
        return self.ask(payload, **how)["error"]["code"]


@pytest.fixture
def box(clock):
    return Box(clock)


def test_a_command_is_carried_out_and_answered_under_its_id(box):
    assert box.ask({"id": "a", "cmd": "echo", "args": {"value": 7}}) == {"id": "a", "ok": True, "result": 7}
    assert box.ask({"id": 5, "cmd": "write", "args": {"value": 3}}) == {"id": 5, "ok": True, "result": 3}
    assert box.written == [3]
    assert [(entry.caller, entry.outcome) for entry in box.audit] == [("mqtt", "begun"), ("mqtt", "done")]


def test_an_error_is_answered_with_its_code_and_words(box):
    box.result = fail(NotConfirmed("v1 is 3"))
    assert box.ask({"id": 1, "cmd": "write"}) == {
        "id": 1,
        "ok": False,
        "error": {"code": "not_confirmed", "message": "The device did not confirm what was written: v1 is 3"},
    }
    assert box.code({"id": 1, "cmd": "write"}) == "not_confirmed", "and again, without being tried again"
    assert box.written == [0]


def test_a_fault_inside_the_box_is_answered_and_keeps_no_place(box):
    for n in range(10):
        box.result = fail(ZeroDivisionError())
        assert box.code({"id": n, "cmd": "write"}) == "failed"


@pytest.mark.parametrize(
    ("payload", "code", "words"),
    [
        ({"id": 1, "cmd": "ecko"}, "unknown", "action ecko (did you mean echo?)"),
        ({"id": 1, "cmd": "reboot"}, "denied", "needs system, mqtt is allowed read, write"),
        ({"id": 1, "cmd": "echo", "args": {"value": 11}}, "out_of_range", "value: found 11"),
        ({"id": 1, "cmd": "echo", "args": {"valu": 1}}, "wrong_arguments", "(did you mean value?)"),
        ({"id": 1, "cmd": "echo", "arg": {}}, "wrong_arguments", "(did you mean args?)"),
    ],
)
def test_what_is_refused_is_answered_in_words_and_nothing_is_done_or_noted(box, payload, code, words):
    answer = box.ask(payload)
    assert (answer["id"], answer["ok"], answer["error"]["code"]) == (1, False, code)
    assert words in answer["error"]["message"]
    assert (box.written, box.ledger.noted) == ([], [])
    assert box.commands.counts == {code: 1}


def test_without_an_id_there_is_nobody_to_answer_but_it_is_counted(box):
    assert box.send(b"{").send({"cmd": "echo"}).answers() == []
    assert box.commands.counts == {"wrong_arguments": 2}


def test_writing_is_denied_unless_it_is_allowed(clock):
    box = Box(clock, allowed={Permission.READ})
    assert box.code({"id": 1, "cmd": "write", "args": {"value": 1}}) == "denied"
    assert box.written == []


def test_what_the_broker_had_kept_is_ignored(box):
    assert box.send({"id": 1, "cmd": "write"}, is_retained=True).answers() == []
    assert box.commands.counts == {"retained": 1}
    assert box.ask({"id": 1, "cmd": "write"})["ok"]


@pytest.mark.parametrize(("late_s", "is_taken"), [(0, True), (59, True), (-59, True), (61, False), (-61, False)])
def test_a_command_that_says_when_it_was_given_is_taken_within_a_minute_only(box, late_s, is_taken):
    answer = box.ask({"id": 1, "cmd": "write", "ts": NOW - late_s})
    assert answer["ok"] is is_taken
    if not is_taken:
        assert answer["error"]["code"] == "stale"
        assert f"61 s {'behind' if late_s > 0 else 'ahead of'} the box's clock" in answer["error"]["message"]


def test_while_the_box_does_not_know_the_time_no_command_can_prove_its_age(box):
    box.wall.trusted = False
    assert box.code({"id": 1, "cmd": "write", "ts": NOW}) == "stale"
    assert box.ask({"id": 1, "cmd": "write"})["ok"]


# -- what comes again


def test_what_comes_again_is_answered_again_and_not_done_again(box):
    first = box.ask({"id": 1, "cmd": "write", "args": {"value": 3}})
    assert box.ask({"id": 1, "args": {"value": 3}, "cmd": "write"}) == first
    assert box.written == [3]
    assert box.commands.counts == {"done": 1, "again": 1}


def test_an_id_that_was_given_to_another_command_is_refused(box):
    box.ask({"id": 1, "cmd": "write", "args": {"value": 3}})
    assert box.code({"id": 1, "cmd": "write", "args": {"value": 4}}) == "repeated"
    assert box.ask({"id": "1", "cmd": "write", "args": {"value": 4}})["ok"]
    assert box.written == [3, 4]


def test_what_comes_again_while_it_is_under_way_is_answered_once_by_the_newest_road(box):
    box.result = Deferred()
    roads = [], []
    for road in roads:
        box.send({"id": 1, "cmd": "write"}, answer=road.append)
    box.result.callback("done")
    assert [len(road) for road in roads] == [0, 1]
    assert box.written == [0]


def test_after_a_restart_what_was_answered_is_answered_again(box, clock):
    first = box.ask({"id": 1, "cmd": "write", "args": {"value": 3}})
    again = Box(clock, ledger=box.ledger)
    assert again.ask({"id": 1, "cmd": "write", "args": {"value": 3}}) == first
    assert again.written == []


def test_what_a_power_cut_interrupted_is_not_done_twice(box, clock):
    box.result = Deferred()
    box.send({"id": 1, "cmd": "write", "args": {"value": 3}})
    assert box.written == [3]
    again = Box(clock, ledger=box.ledger)
    answer = again.ask({"id": 1, "cmd": "write", "args": {"value": 3}})
    assert answer["error"]["code"] == "repeated"
    assert "its answer is not known any more; look how things are" in answer["error"]["message"]
    assert again.written == []


def test_what_changes_something_begins_only_when_that_is_on_the_disk(clock, tmp_path):
    bench = Bench(tmp_path / "journal.db")
    journal = bench.journal()
    book = OrderBook(journal, "mqtt", bench.wall)
    box = Box(bench.clock, ledger=book)
    seen = []
    box.write = lambda value: seen.append([row[0] for row in bench.done(book.rows(), 0)])
    bench.run(1.5)
    box = Box(bench.clock, ledger=book)
    box.send({"id": 1, "cmd": "write", "args": {"value": 3}})
    assert box.written == [], "not before the commit"
    bench.run(1.5)
    assert box.written == [3]
    assert [row[0] for row in bench.done(book.rows())] == ["1"]
    bench.close(journal)
    journal = bench.journal()
    again = Box(bench.clock, ledger=OrderBook(journal, "mqtt", bench.wall))
    again.send({"id": 1, "cmd": "write", "args": {"value": 3}})
    bench.run(1.5)
    assert (again.written, again.answers()) == ([], box.answers())
    bench.end()


def test_what_only_reads_is_not_noted_and_needs_no_disk(box):
    box.ledger.stuck = JournalError("read-only")
    assert box.ask({"id": 1, "cmd": "echo"})["ok"]
    assert box.ledger.noted == []


@pytest.mark.parametrize("stuck", [JournalError("the disk is full"), True])
def test_what_cannot_be_noted_is_not_done_and_may_come_again(box, clock, stuck):
    box.ask({"id": 0, "cmd": "write"})
    box.ledger.stuck = stuck
    box.send({"id": 1, "cmd": "write", "args": {"value": 3}})
    clock.advance(Gate().note_s)
    (answer,) = box.answers()
    assert answer["error"]["code"] == "try_later"
    assert "cannot be noted" in answer["error"]["message"]
    assert box.written == [0]
    box.ledger.stuck = None
    assert box.ask({"id": 1, "cmd": "write", "args": {"value": 3}})["ok"]
    assert box.written == [0, 3]


def test_no_more_is_remembered_than_a_thousand(clock):
    box = Box(clock, gate=Gate(per_s=1e9, stretch=10**9, heard_per_s=1e9))
    for n in range(MOST + 5):
        box.ask({"id": n, "cmd": "echo"})
    assert len(box.remembered._known) == MOST
    box.result = "else"
    assert box.ask({"id": MOST, "cmd": "echo"})["result"] == 0
    assert box.ask({"id": 0, "cmd": "echo"})["result"] == "else"


def test_a_road_that_is_built_anew_knows_what_the_former_one_has_under_way(box, clock):
    box.result = Deferred()
    box.send({"id": 1, "cmd": "write"})
    other = Box(clock, remembered=box.remembered)
    assert other.send({"id": 1, "cmd": "write"}).answers() == []
    box.result.callback("done")
    assert (box.answers(), other.answers(), other.written) == ([], [{"id": 1, "ok": True, "result": "done"}], [])


# -- how much


def test_a_stretch_of_commands_is_taken_and_then_so_many_a_second(box, clock):
    answers = Counter()
    for n in range(30):
        answers[box.ask({"id": n, "cmd": "echo"}).get("error", {}).get("code")] += 1
    assert answers == {None: 20, "too_often": 10}
    clock.advance(1)
    assert [box.ask({"id": n, "cmd": "echo"})["ok"] for n in range(40, 46)] == [True] * 5 + [False]
    assert box.ask({"id": 0, "cmd": "echo"})["ok"], "what was answered is answered again"


def test_a_flood_is_not_even_read(box, clock):
    for n in range(1000):
        box.send({"id": n, "cmd": "echo"})
    assert len(box.answers()) == box.commands.counts["done"] + box.commands.counts["too_often"] == 100
    assert box.commands.counts["unheard"] == 900


def test_so_many_are_under_way_at_once(box):
    box.result = Deferred()
    for n in range(8):
        box.send({"id": n, "cmd": "write"})
    assert box.code({"id": 8, "cmd": "write"}) == "busy"
    box.result.callback(1)
    assert len(box.answers()) == 8
    box.result = None
    assert box.ask({"id": 8, "cmd": "write"})["ok"]


# -- long answers


class Numbers:
    """A result in parts."""

    def __init__(self, *parts):
        self.left = list(parts)
        self.asked = 0

    def next_part(self):
        self.asked += 1
        part = self.left.pop(0) if self.left else None
        return fail(part) if isinstance(part, Exception) else succeed(part)


def test_a_result_in_parts_is_told_in_parts(box):
    box.result = Numbers([1], [2], [3])
    assert box.send({"id": "h", "cmd": "echo"}).answers() == [
        {"id": "h", "ok": True, "part": 0, "more": True, "result": [1]},
        {"id": "h", "ok": True, "part": 1, "more": True, "result": [2]},
        {"id": "h", "ok": True, "part": 2, "more": False, "result": [3]},
    ]


def test_the_next_part_waits_for_the_one_before_and_no_more_is_asked_for(box):
    box.result, arriving = Numbers(*range(5)), []

    def answer(payload):
        box.said.append(payload)
        arriving.append(Deferred())
        return arriving[-1]

    parts = box.result
    box.send({"id": 1, "cmd": "echo"}, answer=answer)
    assert (len(box.said), parts.asked) == (1, 2)
    arriving.pop().callback(True)
    assert (len(box.said), parts.asked) == (2, 3)
    arriving.pop().callback(False)
    assert (len(box.said), parts.asked) == (2, 3), "nobody takes it any more"
    assert box.commands.counts == {"dropped": 1}


def test_a_fault_in_the_middle_ends_the_answer(box):
    box.result = Numbers([1], JournalError("gone"), [3])
    first, last = box.send({"id": 1, "cmd": "echo"}).answers()
    assert first["more"] is True
    assert (last["ok"], last["part"], last["more"], last["error"]["code"]) == (False, 1, False, "failed")


def test_a_long_list_is_told_in_pieces_below_the_longest_message(box):
    box.result = [{"n": n, "text": "x" * 90} for n in range(3000)]
    payloads = box.send({"id": 1, "cmd": "echo"}).said
    assert len(payloads) > 3 and max(map(len, payloads)) <= LONGEST
    answers = box.answers()
    assert [each["n"] for answer in answers for each in answer["result"]] == list(range(3000))
    assert [answer["more"] for answer in answers] == [True] * (len(answers) - 1) + [False]


def test_what_is_too_long_for_a_message_is_refused(box):
    box.result = {"text": "x" * LONGEST}
    assert box.code({"id": 1, "cmd": "echo"}) == "too_large"
    box.result = [1, "x" * 2 * LONGEST]
    first, last = box.send({"id": 2, "cmd": "echo"}).answers()
    assert (first["result"], last["error"]["code"], last["more"]) == ([1], "too_large", False)


def test_a_result_that_is_no_json_is_a_failure_inside_the_box(box):
    box.result = float("nan")
    assert box.code({"id": 1, "cmd": "echo"}) == "failed"
    box.result = "\ud800"
    assert box.code({"id": 2, "cmd": "echo"}) == "failed"


def test_long_answers_are_not_remembered(box):
    box.result = "x" * 5000
    assert box.ask({"id": 1, "cmd": "echo"})["ok"]
    assert box.code({"id": 1, "cmd": "echo"}) == "repeated"


# -- hostile payloads

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-20, 20) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "value", "ü"]), inner),
    max_leaves=8,
)
ORDER = st.fixed_dictionaries(
    {"id": JSON, "cmd": st.sampled_from(["echo", "write", "reboot", "", "\ud800"]) | JSON},
    optional={"args": JSON | st.fixed_dictionaries({"value": JSON}), "ts": JSON | st.just(NOW), "x": JSON},
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.binary(max_size=80) | ORDER.map(lambda found: json.dumps(found).encode()), max_size=12), st.booleans()
)
def test_whatever_is_published_nothing_is_raised_and_every_answer_is_one(payloads, is_writer):
    clock = Clock()
    box = Box(clock, allowed=BOTH if is_writer else {Permission.READ})
    for payload in payloads:
        box.send(payload)
    for answer in box.answers():
        assert isinstance(answer["id"], str | int) and answer["ok"] is ("result" in answer) is ("error" not in answer)
    assert sum(box.commands.counts.values()) == len(payloads)
    assert "reboot" not in box.written
    assert is_writer or not box.written
    assert not clock.getDelayedCalls()
