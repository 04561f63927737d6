"""Conversations with M-Bus meters, on a simulated line with true character times."""

import pytest
from attrs import evolve

from concentrator.model.errors import Garbled, NoReply, NotConfirmed, OutOfRange, Refused, Unexpected
from concentrator.sim.mbus_meter import MbusMeter, bcd
from concentrator.wire.conversation import LineSettings
from concentrator.wire.mbus_address import ANYBODY, parse_address
from concentrator.wire.mbus_frame import Frame
from concentrator.wire.mbus_talk import (
    MOST_TELEGRAMS,
    Crowd,
    Place,
    change_primary,
    change_speed,
    moved,
    probe,
    probe_primary,
    read,
    reset_application,
    tell,
    wait_s,
)
from tests.support.mbus import MBUS, VirtualMbus

WAIT_S = wait_s(MBUS)
ONE = parse_address("12345678-KAM-08-04")
ENERGY = bytes.fromhex("0C 06 39 05 00 00")


def meter(address=ONE, primary=5, telegrams=(ENERGY,), **options):
    return MbusMeter(address.raw, primary, telegrams, **options)


def played(conversation, *replies):
    """What a conversation asks and gives when it is sent these replies, errors thrown into it."""
    asked = [conversation.send(None).request.hex()]
    for reply in replies:
        try:
            step = conversation.throw(reply) if isinstance(reply, Exception) else conversation.send(reply)
        except StopIteration as ended:
            return asked, ended.value
        asked.append(step.request.hex())
    return asked, None


@pytest.fixture
def talk():
    """`talk(meters, conversation)` gives what a conversation on a line with these meters gives."""

    def over(meters, conversation, **options):
        bus = VirtualMbus(*meters, **options)
        line = bus.line()
        said = bus.said(line, conversation)
        bus.run(2.0)
        bus.stop(line)
        return said

    return over


def values(telegrams):
    return [[record.value for record in telegram.records] for telegram in telegrams]


def test_a_meter_is_read_at_its_primary_address(talk):
    (telegram,) = talk([meter()], read(Place(5), WAIT_S))
    assert str(telegram.header.address) == "12345678-KAM-08-04"
    assert [record.value for record in telegram.records] == [539_000]


def test_a_meter_is_read_by_its_secondary_address_and_selected_no_more_afterwards(talk):
    others = [meter(evolve(ONE, raw=bcd(number, 4) + ONE.raw[4:]), primary=5) for number in range(3)]
    mine = meter()
    said = talk([*others, mine], read(Place(selected=ONE), WAIT_S))
    assert values(said) == [[539_000]]
    assert not any(each.is_selected for each in (*others, mine))


def test_a_session_begins_and_ends_with_a_reset_and_asks_with_the_bit_set_first():
    frame = Frame(0x08, 5, 0x72, ONE.raw + bytes(4) + ENERGY)
    asked, _ = played(read(Place(5), WAIT_S), b"\xe5", frame, b"\xe5")
    assert asked == ["1040054516", "107b058016", "1040054516"]
    asked, _ = played(read(Place(selected=ONE), WAIT_S), b"\xe5", frame, b"\xe5")
    assert asked == ["680b0b6873fd52" + ONE.raw.hex() + asked[0][-4:], "107bfd7816", "1040fd3d16"]


def test_telegrams_are_asked_for_while_there_are_more(talk):
    parts = [bytes((0x01, 0xFD, 0x17, n)) + b"\x1f" for n in range(4)] + [ENERGY + b"\x0f"]
    assert values(talk([meter(telegrams=parts)], read(Place(5), WAIT_S))) == [[0], [1], [2], [3], [539_000]]


def test_no_more_telegrams_are_asked_for_than_are_wanted(talk):
    parts = [bytes((0x01, 0xFD, 0x17, n)) + b"\x1f" for n in range(4)]
    assert values(talk([meter(telegrams=parts)], read(Place(5), WAIT_S, most=1))) == [[0]]


def test_a_meter_that_always_says_its_first_telegram_is_not_asked_for_ever(talk):
    endless = meter(telegrams=(ENERGY + b"\x1f",), is_ignorant=True)
    assert values(talk([endless], read(Place(5), WAIT_S))) == [[539_000]]


def test_no_meter_is_asked_for_more_than_twenty_telegrams(talk):
    parts = [bytes((0x01, 0xFD, 0x17, n)) + b"\x1f" for n in range(30)]
    said = talk([meter(telegrams=parts)], read(Place(5), WAIT_S))
    assert len(said) == MOST_TELEGRAMS


def test_a_read_that_takes_minutes_at_a_slow_speed_comes_to_its_end():
    slow = LineSettings(300, 11)
    parts = [ENERGY + b"\x1f" + bytes((n,)) * 233 for n in range(MOST_TELEGRAMS - 1)] + [ENERGY]
    bus = VirtualMbus(meter(telegrams=parts, baudrate=slow.baudrate), settings=slow)
    line = bus.line()
    said = []
    line.run(5, read(Place(5), wait_s(slow))).addBoth(said.append)
    bus.run(60.0)
    assert said == []
    while not said:
        bus.run(1.0)
    assert values(said[0]) == [[539_000]] * MOST_TELEGRAMS
    bus.run(2.0)
    bus.stop(line)


def test_a_repetition_keeps_the_bit_so_that_nothing_is_passed_over():
    frame = Frame(0x08, 5, 0x72, ONE.raw + bytes(4) + ENERGY + b"\x1f")
    asked, _ = played(read(Place(5), WAIT_S), b"\xe5", NoReply(), Garbled(), frame, NoReply())
    assert [each[:4] for each in asked] == ["1040", "107b", "107b", "107b", "105b", "105b"]


@pytest.mark.parametrize("seed", range(3))
def test_damaged_answers_are_asked_for_again(seed, talk):
    bus = VirtualMbus(meter(telegrams=(ENERGY + b"\x1f", ENERGY)), damage=0.25)
    bus.bus.seed = seed
    line = bus.line()
    for _ in range(20):
        said = bus.said(line, read(Place(5), WAIT_S, attempts=12))
        assert values(said) == [[539_000], [539_000]] or values(said) == [[539_000]]
    bus.stop(line)


def test_a_meter_that_does_not_acknowledge_a_reset_is_read_all_the_same():
    frame = Frame(0x08, 5, 0x72, ONE.raw + bytes(4) + ENERGY)
    _, said = played(read(Place(5), WAIT_S), NoReply(), frame, NoReply())
    assert values(said) == [[539_000]]


def test_nobody_is_told_as_no_reply(talk):
    assert isinstance(talk([meter()], read(Place(6), WAIT_S)), NoReply)
    assert isinstance(talk([meter()], read(Place(selected=parse_address("00000001")), WAIT_S)), NoReply)


def test_a_slow_meter_is_waited_for_as_long_as_the_standard_allows(talk):
    assert values(talk([meter(turnaround_s=WAIT_S - 0.002)], read(Place(5), WAIT_S))) == [[539_000]]


def test_who_answers_in_place_of_the_selected_one_is_not_believed():
    frame = Frame(0x08, 5, 0x72, parse_address("87654321-KAM-08-04").raw + bytes(4) + ENERGY)
    with pytest.raises(Unexpected, match="87654321-KAM-08-04 answered, expected 12345678-KAM-08-04"):
        played(read(Place(selected=ONE), WAIT_S), b"\xe5", frame, b"\xe5")


@pytest.mark.parametrize("reply", [NoReply(), Garbled(), Frame(0x08, 5, 0x70, b"\x08")], ids=["none", "damaged", "no"])
def test_who_was_selected_is_so_no_more_when_it_could_not_be_read(reply):
    asked, _ = played(read(Place(selected=ONE), WAIT_S, 1), b"\xe5", reply)
    assert asked[-1] == "1040fd3d16"


@pytest.mark.parametrize("reply", [b"\xe5", NoReply(), Garbled()], ids=["done", "none", "damaged"])
def test_who_was_selected_is_so_no_more_when_it_has_been_told_something(reply):
    asked, _ = played(tell(Place(selected=ONE), 0x50, b"", WAIT_S, 1), b"\xe5", reply)
    assert asked[-1] == "1040fd3d16"


def test_who_is_asked_at_its_primary_address_and_is_silent_costs_no_more_than_that():
    conversation = read(Place(5), WAIT_S, 1)
    conversation.send(None)
    conversation.send(b"\xe5")
    with pytest.raises(NoReply):
        conversation.throw(NoReply())


def test_what_the_meter_refuses_is_told_with_its_reason():
    with pytest.raises(Refused, match="application busy"):
        played(read(Place(5), WAIT_S), b"\xe5", Frame(0x08, 5, 0x70, b"\x08"), b"\xe5")


def test_a_probe_finds_the_only_one_several_or_nobody(talk):
    two = [meter(), meter(parse_address("12345679-KAM-08-04"), 6, turnaround_s=0.021)]
    assert talk([meter()], probe(ANYBODY, WAIT_S)) == ONE
    assert talk(two, probe(ANYBODY, WAIT_S)) is Crowd.COLLISION
    assert talk(two, probe(ONE, WAIT_S)) == ONE
    assert talk(two, probe(parse_address("9FFFFFFF"), WAIT_S)) is None


def test_acknowledgements_that_merge_into_one_are_not_taken_for_one_meter(talk):
    two = [meter(), meter(parse_address("12345679-KAM-08-04"), 6)]
    assert talk(two, probe(ANYBODY, WAIT_S)) is Crowd.COLLISION


def test_a_slow_meter_that_speaks_when_a_quick_one_has_ended_is_not_missed(talk):
    fast = LineSettings(38400, 11)
    two = [meter(baudrate=fast.baudrate), meter(parse_address("12345679-KAM-08-04"), 6, turnaround_s=0.055)]
    two[1].baudrate = fast.baudrate
    said = talk(two, probe(ANYBODY, wait_s(fast), character_s=fast.character_s), settings=fast)
    assert said is Crowd.COLLISION


def test_noise_in_place_of_an_acknowledgement_is_probed_once_more():
    asked, said = played(probe(ANYBODY, WAIT_S, 1), b"\xe5", NoReply(), NoReply())
    assert [each[:2] for each in asked] == ["68", "10", "68"]
    assert said is None


def test_a_probe_of_a_primary_address_tells_who_is_there(talk):
    both = [meter(), meter(parse_address("12345679-KAM-08-04"), turnaround_s=0.03)]
    assert talk([meter()], probe_primary(5, WAIT_S)) == ONE
    assert talk([meter()], probe_primary(4, WAIT_S)) is None
    assert talk(both, probe_primary(5, WAIT_S)) is Crowd.COLLISION


def test_a_meter_is_given_a_primary_address_a_speed_and_a_new_beginning(talk):
    one, two, three = meter(), meter(), meter(telegrams=(ENERGY, ENERGY))
    assert talk([one], change_primary(Place(selected=ONE), 77, WAIT_S)) is None
    assert one.primary == 77
    assert talk([two], change_speed(Place(5), 9600, WAIT_S)) is None
    assert two.baudrate == 9600
    assert talk([three], reset_application(Place(5), WAIT_S)) is None


@pytest.mark.parametrize("place", [Place(5), Place(selected=ONE)])
def test_a_meter_that_is_moved_is_asked_at_its_new_address(talk, place):
    one = meter()
    assert str(talk([one], moved(place, 77, WAIT_S))) == "12345678-KAM-08-04"
    assert one.primary == 77
    assert not one.is_selected


def test_a_meter_that_is_there_already_is_not_told(talk):
    assert talk([meter(primary=77)], moved(Place(selected=ONE), 77, WAIT_S)) == ONE


def test_no_meter_is_moved_to_where_another_one_is(talk):
    one, other = meter(), meter(parse_address("87654321-KAM-08-04"), primary=77)
    assert isinstance(talk([one, other], moved(Place(5), 77, WAIT_S)), OutOfRange)
    assert (one.primary, other.primary) == (5, 77)


def test_a_meter_that_acknowledges_and_stays_where_it_is_is_told(talk):
    class Stubborn(MbusMeter):
        def reply(self, frame):
            said = super().reply(frame)
            self.primary = 5
            return said

    stubborn = Stubborn(ONE.raw, 5, (ENERGY,))
    assert isinstance(talk([stubborn], moved(Place(5), 77, WAIT_S)), NotConfirmed)


def test_what_no_meter_can_be_told_is_refused_before_it_is_sent():
    for conversation in (change_speed, change_primary):
        with pytest.raises(OutOfRange):
            conversation(Place(5), 251, WAIT_S)


def test_frames_that_tell_meters_something_are_those_of_the_standard():
    assert played(change_primary(Place(1), 5, WAIT_S), b"\xe5")[0][1] == "68060668730151017a054516"
    assert played(change_speed(Place(1), 2400, WAIT_S), b"\xe5")[0][1] == "680303687301bb2f16"
    assert played(reset_application(Place(1), WAIT_S), b"\xe5")[0][1] == "68030368730150c416"


def test_through_the_network_an_answer_is_given_more_time():
    assert wait_s(None) == 0.5 > wait_s(LineSettings(2400, 11))
