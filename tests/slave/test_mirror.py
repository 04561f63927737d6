"""concentrator.slave.mirror: a device's registers from what was read of it, and never older than they may be."""

import pytest
from twisted.internet.defer import Deferred

from concentrator.dialect.image import RegisterImage
from concentrator.model.errors import NoReply, Refused
from concentrator.model.profile import Block, Function
from concentrator.slave.mirror import Mirror
from concentrator.slave.unit import Unit
from concentrator.wire.modbus_server import Read, Refusal

FAST = Block(Function.HOLDING, 0, 10)
SLOW = Block(Function.HOLDING, 10, 4, every_s=600.0)
COILS = Block(Function.COIL, 0, 12)
PARTS = Block(Function.INPUT, 0, 4, parts=(Block(Function.INPUT, 0, 2), Block(Function.INPUT, 8, 2)))
OTHER = Block(Function.HOLDING, 90, 4, unit_id=3)


class Original:
    """A device with an image that reads itself when it is told."""

    def __init__(self, clock):
        self.clock = clock
        self.is_well = True
        self.asked, self.passed = [], []
        self.registers = RegisterImage(clock.seconds)
        self.is_there = True

    def read(self, *blocks):
        for block in blocks:
            for part in block.parts or (block,):
                size = (part.count + 7) // 8 if part.function.is_bits else 2 * part.count
                data = bytes((part.address + at) & 0xFF for at in range(size))
                self.registers.store(part.function, part.address, part.count, data)

    def image(self):
        return self.registers if self.is_there else None

    def blocks(self):
        return [(FAST, 3.0), (SLOW, 600.0), (COILS, 3.0), (PARTS, 3.0), (OTHER, 3.0)]

    def is_answering(self):
        return self.is_well

    def fetch(self, wanted):
        self.asked.append((wanted, Deferred()))
        return self.asked[-1][1]

    def pass_on(self, pdu, by):
        self.passed.append((pdu.hex(), by, Deferred()))
        return self.passed[-1][2]


@pytest.fixture
def original(clock):
    return Original(clock)


def mirror_of(original, may_ask=False):
    return Mirror(original, original.clock.seconds, 30.0, may_ask)


def refused(mirror, wanted):
    with pytest.raises(Refusal) as refusal:
        mirror.read(wanted)
    return refusal.value.code


def test_what_was_read_is_shown_as_it_came(original):
    original.read(FAST, COILS, PARTS)
    mirror = mirror_of(original)
    assert mirror.read(Read(Function.HOLDING, 0, 10)) == bytes(range(20))
    assert mirror.read(Read(Function.HOLDING, 3, 2)) == bytes((6, 7, 8, 9))
    assert mirror.read(Read(Function.COIL, 0, 12)) == b"\0\1"
    assert mirror.read(Read(Function.COIL, 8, 4)) == b"\1"
    assert mirror.read(Read(Function.INPUT, 8, 2)) == bytes((8, 9, 10, 11))
    assert original.asked == []


def test_a_read_may_span_what_was_read_apart(original):
    original.read(FAST, SLOW)
    found = mirror_of(original).read(Read(Function.HOLDING, 8, 4))
    assert found == bytes((16, 17, 18, 19, 10, 11, 12, 13))


@pytest.mark.parametrize(("is_well", "code"), [(True, 4), (False, 11)])
def test_what_is_too_old_is_not_shown(original, is_well, code):
    original.read(FAST)
    original.is_well = is_well
    mirror = mirror_of(original)
    original.clock.advance(30)
    assert mirror.read(Read(Function.HOLDING, 0, 1)) == b"\0\1"
    original.clock.advance(0.1)
    assert refused(mirror, Read(Function.HOLDING, 0, 1)) == code


def test_the_oldest_register_of_a_read_decides(original):
    original.read(FAST)
    original.clock.advance(20)
    original.read(COILS, PARTS, SLOW)
    original.clock.advance(20)
    mirror = mirror_of(original)
    assert mirror.read(Read(Function.COIL, 0, 1)) == b"\0"
    original.is_well = False
    assert refused(mirror, Read(Function.HOLDING, 0, 2)) == 11


def test_what_is_read_rarely_may_be_three_of_its_rounds_old(original):
    original.read(FAST, SLOW)
    mirror = mirror_of(original)
    original.clock.advance(1800)
    assert mirror.read(Read(Function.HOLDING, 10, 4)) == bytes(range(10, 18))
    original.clock.advance(1)
    assert refused(mirror, Read(Function.HOLDING, 10, 4)) == 4


def test_what_is_not_read_yet_is_not_what_is_never_read(original):
    mirror = mirror_of(original)
    assert refused(mirror, Read(Function.HOLDING, 0, 10)) == 4
    original.is_well = False
    assert refused(mirror, Read(Function.HOLDING, 0, 10)) == 11
    assert refused(mirror, Read(Function.HOLDING, 0, 15)) == 2
    assert refused(mirror, Read(Function.INPUT, 2, 1)) == 2
    assert refused(mirror, Read(Function.DISCRETE, 0, 1)) == 2
    assert refused(mirror, Read(Function.HOLDING, 90, 4)) == 2, "that is another Modbus ID's"


def test_a_device_that_is_not_there_does_not_answer(original):
    original.is_there = False
    assert refused(mirror_of(original), Read(Function.HOLDING, 0, 1)) == 11
    mirror_of(original, may_ask=True).read(Read(Function.HOLDING, 0, 1))
    assert [wanted for wanted, _ in original.asked] == [Read(Function.HOLDING, 0, 1)]


HIGH = Read(Function.HOLDING, 0x1000, 2)


def test_where_it_may_what_is_not_there_is_asked_of_the_device_one_after_the_other(original):
    mirror = mirror_of(original, may_ask=True)
    unit = Unit(mirror, original.clock.seconds)
    answers = []
    unit.answer(bytes.fromhex("03 1000 0002"), "somebody").addCallback(answers.append)
    assert unit.answer(bytes.fromhex("03 1000 0002"), "somebody") == b"\x83\6", "the second one may come again"
    ((wanted, asking),) = original.asked
    assert wanted == HIGH
    asking.callback(b"\0\1\0\2")
    assert answers == [bytes.fromhex("03 04 00010002")]
    unit.answer(bytes.fromhex("01 0000 0008"), "somebody").addCallback(answers.append)
    original.asked[1][1].errback(Refused(2))
    assert answers[1:] == [bytes.fromhex("8102")]
    unit.answer(bytes.fromhex("01 0000 0008"), "somebody")
    assert len(original.asked) == 3, "a refusal does not end it"


def test_what_the_device_said_serves_everybody_until_it_is_too_old(original):
    mirror = mirror_of(original, may_ask=True)
    mirror.read(HIGH)
    original.asked[0][1].callback(b"\0\1\0\2")
    original.clock.advance(30)
    assert mirror.read(HIGH) == b"\0\1\0\2"
    original.clock.advance(1)
    assert isinstance(mirror.read(HIGH), Deferred)
    assert len(original.asked) == 2


def test_what_was_said_takes_only_so_much_room(original):
    mirror = mirror_of(original, may_ask=True)
    for address in range(0x1000, 0x1000 + 200):
        mirror.read(Read(Function.HOLDING, address, 1))
        original.asked[-1][1].callback(b"\0\1")
    assert len(mirror._said) <= 64
    assert mirror.read(Read(Function.HOLDING, 0x1000 + 199, 1)) == b"\0\1"


def test_a_device_that_did_not_answer_is_left_alone_for_a_while(original):
    mirror = mirror_of(original, may_ask=True)
    asking = mirror.read(HIGH)
    original.clock.advance(0.3)
    original.asked[0][1].errback(NoReply("m1"))
    assert isinstance(failure_of(asking), NoReply)
    original.clock.advance(2.9)
    assert refused(mirror, HIGH) == 11
    original.clock.advance(0.2)
    assert isinstance(mirror.read(HIGH), Deferred)
    assert len(original.asked) == 2


def test_nothing_from_before_a_write_is_shown_after_it_where_the_device_may_be_asked(original):
    original.read(FAST)
    mirror = mirror_of(original, may_ask=True)
    mirror.read(HIGH)
    original.asked[0][1].callback(b"\0\1\0\2")
    original.clock.advance(1)
    mirror.write(b"", None, "somebody")
    original.passed[0][2].callback(b"")
    for wanted in (HIGH, Read(Function.HOLDING, 0, 2)):
        assert isinstance(mirror.read(wanted), Deferred)
        original.asked[-1][1].callback(bytes(4))
        assert mirror.read(wanted) == bytes(4)
    plain = mirror_of(original)
    plain.write(b"", None, "somebody")
    original.passed[1][2].callback(b"")
    assert plain.read(Read(Function.HOLDING, 0, 2)) == bytes(range(4)), "what is known must do"


def failure_of(deferred):
    found = []
    deferred.addErrback(lambda failure: found.append(failure.value))
    return found[0]


def test_what_is_young_enough_is_not_asked_for_again(original):
    original.read(FAST)
    mirror = mirror_of(original, may_ask=True)
    assert mirror.read(Read(Function.HOLDING, 0, 10)) == bytes(range(20))
    assert original.asked == []
    original.clock.advance(31)
    assert isinstance(mirror.read(Read(Function.HOLDING, 0, 10)), Deferred)


def test_a_write_is_passed_on_as_it_came(original):
    unit = Unit(mirror_of(original), original.clock.seconds, may_write=True)
    answers = []
    unit.answer(bytes.fromhex("05 0003 FF00"), "10.0.0.5").addCallback(answers.append)
    ((pdu, by, passing),) = original.passed
    assert (pdu, by) == ("050003ff00", "10.0.0.5")
    passing.callback(bytes.fromhex("05 0003 FF00"))
    assert answers == [bytes.fromhex("05 0003 FF00")]


def test_reads_that_overlap_are_put_together_register_by_register(original):
    original.registers.store(Function.HOLDING, 0, 4, bytes(8))
    original.clock.advance(5)
    original.registers.store(Function.HOLDING, 2, 4, bytes(range(8)))
    assert original.registers.content(Function.HOLDING, 0, 6) == (bytes(4) + bytes(range(8)), 0.0)
    assert original.registers.content(Function.HOLDING, 3, 2) == (bytes((2, 3, 4, 5)), 5.0)
    assert original.registers.content(Function.HOLDING, 5, 2) is None


def test_reads_that_lie_side_by_side_are_put_together_read_by_read(original):
    original.registers.store(Function.HOLDING, 4, 2, bytes((4, 4, 5, 5)))
    original.clock.advance(5)
    original.registers.store(Function.HOLDING, 0, 4, bytes((0, 0, 1, 1, 2, 2, 3, 3)))
    assert original.registers.content(Function.HOLDING, 1, 4) == (bytes((1, 1, 2, 2, 3, 3, 4, 4)), 0.0)
    assert original.registers.content(Function.HOLDING, 1, 2) == (bytes((1, 1, 2, 2)), 5.0)
    assert original.registers.content(Function.HOLDING, 3, 4) is None
