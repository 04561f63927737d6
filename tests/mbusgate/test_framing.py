"""Whole frames with few wake-ups, on a port whose bytes come at the wire's pace."""

import pytest

from concentrator.mbusgate.framing import PAUSE_S
from tests.support.gateways import House
from tests.support.lines import CHARACTER_S, Port

FRAME = bytes((0x68, 60, 60, 0x68)) + bytes(60) + b"\x00\x16"


@pytest.fixture
def house():
    house = House(Port, is_framed=True)
    yield house
    house.close()


def played(house, data, lump=1):
    """Plays bytes at the wire's pace; gives what the guest heard, each piece with its moment after the last byte."""
    guest = house.guest()
    began = house.clock.seconds()
    house.wire.play(data, 0.0, lump)
    heard = []
    while house.clock.seconds() < began + len(data) * CHARACTER_S + 2 * PAUSE_S:
        house.run(0.0001, 0.0001)
        if more := guest.heard():
            heard.append((more, house.clock.seconds() - began - len(data) * CHARACTER_S))
    return heard


@pytest.mark.parametrize("lump", [1, 8])
def test_a_frame_comes_in_one_piece_soon_after_its_last_byte(house, lump):
    woken = house.wire.reactor.woken
    ((piece, late_s),) = played(house, FRAME, lump)
    assert piece == FRAME
    assert -1e-6 <= late_s < 0.001
    assert house.wire.reactor.woken - woken <= 4


def test_several_frames_come_each_when_it_is_there(house):
    pieces = [piece for piece, _ in played(house, b"\xe5" + FRAME + FRAME)]
    assert pieces == [b"\xe5", FRAME, FRAME]


def test_a_frame_that_breaks_off_is_handed_on_after_a_while(house):
    pieces = played(house, FRAME[:20])
    assert b"".join(piece for piece, _ in pieces) == FRAME[:20]


def test_what_is_no_frame_is_handed_on_as_it_comes(house):
    pieces = played(house, b"\x00\x01\x02")
    assert [piece for piece, _ in pieces] == [b"\x00", b"\x01", b"\x02"]
