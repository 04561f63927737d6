"""concentrator.line.looking: when to look, and when the wire fell silent, as tables of arrivals."""

import pytest

from concentrator.line.looking import PAUSE_S, SHORTEST_PAUSE_S, Looking
from concentrator.line.patience import Pace

C = 10 / 9600
SILENCE_S = 3.5 * C
LENGTH = 85
REQUEST = 8
LEAD_S = 0.005


class Port:
    """A UART that hands characters over one by one, or in lumps of its threshold and what is left after a time-out."""

    def __init__(self, lump=1):
        self.lump = lump
        self.looking = Looking(C)
        self.pace = Pace()
        self.now = 100.0
        self.looks = 0

    def arrivals(self, start, length, pauses):
        """(moment, characters so far) of each lump; `pauses`: so many seconds before the n-th character."""
        moments, at = [], start
        for n in range(1, length + 1):
            at += C + pauses.get(n, 0.0)
            moments.append(at)
        whole = length // self.lump * self.lump
        lumps = [(moments[n - 1], n) for n in range(self.lump, whole + 1, self.lump)]
        return lumps if whole == length else [*lumps, (moments[-1] + 4 * C, length)]

    def exchange(self, lead_s=LEAD_S, length=LENGTH, pauses=None):
        """One exchange as the line conducts it; gives how long after its true end the wire is taken for silent, and
        how long after it the reply was complete."""
        self.looks = 0
        looking, began = self.looking, self.now
        at = looking.begin(began, REQUEST, length, self.pace)
        arrivals = self.arrivals(looking.request_end + lead_s, length, pauses or {})
        true_end = looking.request_end + lead_s + length * C + sum((pauses or {}).values())
        heard, now = 0, began
        while True:
            self.looks += 1
            if at > now:  # looking away, and taking what is there then
                now, is_arrival = at, False
                total = max((n for moment, n in arrivals if moment <= now + 1e-9), default=0)
            else:  # looking, and being told
                now, total = next((moment, n) for moment, n in arrivals if n > heard)
                is_arrival = True
            if total == length:
                break
            if total > heard:
                looking.heard(now, total, is_arrival)
                heard, at = total, looking.again(now, length - total)
            else:
                at = now
        ended = looking.ended(now, length, is_arrival)
        self.now = max(now, true_end) + 0.01
        return ended - true_end, now - true_end


@pytest.mark.parametrize("lump", [1, 8, 14])
def test_when_it_is_learnt_one_look_brings_most_replies(lump):
    port = Port(lump)
    looks = []
    for _ in range(60):
        port.exchange()
        looks.append(port.looks)
    assert min(looks[:4]) > 5
    assert sum(looks[20:]) / len(looks[20:]) < 2
    assert sorted(looks[20:])[len(looks[20:]) // 2] == 1


@pytest.mark.parametrize(("lump", "length"), [(1, 85), (8, 85), (8, 88), (14, 85), (8, 7), (1, 5)])
def test_the_wire_is_never_taken_for_silent_before_it_is(lump, length):
    """And hardly later, once the port is known: what a UART delays does not count again."""
    port = Port(lump)
    late = [port.exchange(length=length)[0] for _ in range(40)]
    assert min(late) > -1e-6
    if length > lump:
        assert max(late[5:]) < 0.5 * C


def test_a_device_that_pauses_inside_its_reply_does_not_shorten_the_silence():
    for lump in (1, 8):
        port = Port(lump)
        for _ in range(10):
            port.exchange()
        late, _ = port.exchange(pauses={40: 0.012})
        assert late > -1e-6


def test_a_device_that_becomes_faster_is_found_out():
    port = Port()
    for _ in range(40):
        port.exchange(0.02)
    waits = [port.exchange(0.005)[1] for _ in range(80)]
    assert waits[0] > 0.01
    assert max(waits[60:]) < C / 2


def test_a_device_that_becomes_slower_costs_looks_until_it_is_known():
    port = Port()
    for _ in range(40):
        port.exchange(0.005)
    looks = []
    for _ in range(120):
        port.exchange(0.012)
        looks.append(port.looks)
    assert max(looks[:3]) > 1
    assert sum(looks[80:]) / 40 < 1.5


def test_what_takes_a_device_longer_to_prepare_is_looked_for_later():
    port = Port()
    looks = []
    for _ in range(60):
        port.exchange(0.005, 85)
        port.exchange(0.015, 133)
        looks.append(port.looks)
    assert sum(looks[30:]) / 30 < 1.5


def test_lumps_as_usb_adapters_make_them_are_not_trusted_for_a_tail():
    """Their sizes vary: nobody can tell how long the last one was kept back."""
    port = Port()
    looking, pace = port.looking, port.pace
    for n in range(6):
        looking.begin(10.0 * n, REQUEST, 60, pace)
        start = looking.request_end + LEAD_S
        for total in (15 + n, 31, 46 + n % 2, 60):
            looking.heard(start + total * C + 0.002, total, True) if total < 60 else None
        looking.ended(start + 60 * C + 0.016, 60, True)
    assert looking.delivery.is_learnt
    assert looking.delivery.tail_of(60) == 0.0


def test_the_longest_pause_inside_a_reply_is_learnt_and_forgotten():
    port = Port()
    assert port.looking.pause_s == PAUSE_S
    for _ in range(6):
        port.exchange()
    assert port.looking.pause_s == SHORTEST_PAUSE_S
    port.looking.broke_off()
    assert port.looking.pause_s == PAUSE_S


def test_a_port_that_was_opened_again_is_learnt_again():
    port = Port(8)
    for _ in range(10):
        port.exchange()
    assert port.looking.delivery.lump == 8
    port.looking.opened()
    port.lump = 1
    for _ in range(10):
        port.exchange()
    assert port.looking.delivery.lump == 1


def test_a_wire_that_is_faster_than_its_settings_say_is_not_slowed_down():
    """As behind a converter that talks at another speed, or on a bus in which nothing takes time."""
    port = Port()
    waits = [port.exchange(-LENGTH * C / 2)[1] for _ in range(30)]
    assert max(waits[5:]) < C
