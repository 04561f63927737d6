"""concentrator.slave.unit: requests are judged, counted and answered, and every trouble has its exception code."""

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from concentrator.model import errors
from concentrator.model.profile import Function
from concentrator.slave.unit import Unit, code_of
from concentrator.wire.modbus_server import Read, Refusal, Write

READ = bytes.fromhex("0300050001")
WRITE = bytes.fromhex("0600050102")
WRITE_MANY = bytes.fromhex("10000500020401020304")


class Content:
    def __init__(self):
        self.asked = []
        self.found = b"\1\2"
        self.done = succeed(None)

    def read(self, wanted):
        self.asked.append(wanted)
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    def write(self, pdu, wanted, by):
        self.asked.append((pdu, wanted, by))
        return self.done


def unit_of(content, may_write=False):
    clock = Clock()
    clock.advance(7)
    return Unit(content, clock.seconds, may_write)


def test_a_read_is_answered_at_once_and_counted():
    content = Content()
    unit = unit_of(content)
    assert unit.last_at is None
    assert unit.answer(READ, "somebody") == bytes.fromhex("03020102")
    assert content.asked == [Read(Function.HOLDING, 5, 1)]
    assert (unit.reads, unit.writes, unit.refused, unit.last_at) == (1, 0, {}, 7.0)


def test_a_read_may_take_its_time():
    content = Content()
    content.found = Deferred()
    answer = unit_of(content).answer(READ, "somebody")
    heard = []
    answer.addCallback(heard.append)
    assert heard == []
    content.found.callback(b"\3\4")
    assert heard == [bytes.fromhex("03020304")]


def test_a_refusal_is_counted_by_its_code():
    content = Content()
    unit = unit_of(content)
    content.found = Refusal(2)
    assert [unit.answer(READ, "somebody") for _ in range(2)] == [b"\x83\x02"] * 2
    assert unit.answer(b"\x2b", "somebody") == b"\xab\x01"
    assert unit.refused == {2: 2, 1: 1}


def test_nothing_is_written_where_it_may_not_be():
    content = Content()
    unit = unit_of(content)
    assert unit.answer(WRITE, "somebody") == b"\x86\x01"
    assert (content.asked, unit.writes) == ([], 0)


def test_a_write_is_answered_when_it_is_done():
    content = Content()
    unit = unit_of(content, may_write=True)
    content.done = Deferred()
    answers = []
    for pdu in (WRITE, WRITE_MANY):
        unit.answer(pdu, "somebody").addCallback(answers.append)
        content.done = Deferred() if pdu is WRITE else content.done
    assert answers == []
    assert content.asked[0] == (WRITE, Write(Function.HOLDING, 5, (0x0102,), True), "somebody")
    content.done.callback(None)
    assert answers == [WRITE_MANY[:5]]
    assert unit.writes == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.Denied("no"), 1),
        (errors.Unknown("v9"), 2),
        (errors.NotWritable("v1"), 2),
        (errors.OutOfRange("v1"), 3),
        (errors.Busy("now"), 6),
        (errors.TooOften("now"), 6),
        (errors.NoReply("m1"), 11),
        (errors.LineLost("x"), 11),
        (errors.NotConfirmed("v1"), 4),
        (errors.Refused(9), 9),
        (Refusal(2), 2),
        (RuntimeError("bug"), 4),
    ],
)
def test_every_trouble_has_its_exception_code(error, code):
    assert code_of(error) == code
    content = Content()
    content.done = fail(error)
    heard = []
    unit_of(content, may_write=True).answer(WRITE, "somebody").addCallback(heard.append)
    assert heard == [bytes((0x86, code))]
