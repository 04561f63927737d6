"""The wire: byte times, silences, collisions and faults, as a table of moments."""

import pytest
from attrs import evolve

from concentrator.sim.bus import Bus, Faults, Wire
from concentrator.sim.exchange import Exchange, Status, as_line, from_log
from concentrator.sim.slave import framed, is_intact
from concentrator.wire.conversation import LineSettings

CHARACTER_S = 10 / 9600
T35_S = 3.5 * CHARACTER_S
WIRE = Wire(turnaround_s=(0.005, 0.005))
REQUEST = framed(1, bytes.fromhex("03 0000 0028"))
REPLY = framed(1, bytes((3, 80)) + bytes(80))


LONG = framed(5, bytes((3, 40)) + bytes(range(40)))
SHORT = framed(5, b"\x83\x02")
TWINS = framed(5, bytes.fromhex("03 0000 0014"))
FOUR = framed(6, bytes.fromhex("03 0000 0001"))


def answering(frame: bytes) -> list[bytes]:
    refusal = framed(2, b"\x83\x02")
    return {1: [REPLY], 2: [refusal], 5: [LONG, SHORT], 6: [framed(6, b"\x83\x02")] * 4}.get(frame[0], [])


class Master:
    """Plays a bus through time, and notes what comes out when."""

    def __init__(self, wire: Wire = WIRE, faults: Faults | None = None) -> None:
        self.exchanges: list[Exchange] = []
        self.given: list[tuple[float, bytes]] = []
        self.now = 1000.0
        self.bus = Bus(wire, faults or Faults(), answering, self.exchanges.append)

    def send(self, frame: bytes = REQUEST) -> None:
        self.bus.take(frame, self.now)

    def until(self, moment: float) -> None:
        while (wake_at := self.bus.wake_at()) is not None and wake_at <= moment:
            self.now = max(self.now, wake_at)
            if given := self.bus.give(self.now):
                self.given.append((self.now, given))
        self.now = moment

    def rest(self, seconds: float = 1.0) -> None:
        self.until(self.now + seconds)

    @property
    def heard(self) -> bytes:
        return b"".join(given for _, given in self.given)


def test_every_byte_comes_when_its_stop_bit_ends() -> None:
    master = Master()
    master.send()
    master.rest()
    reply_began = 1000.0 + 8 * CHARACTER_S + 0.005
    assert master.heard == REPLY
    assert [moment for moment, _ in master.given] == pytest.approx(
        [reply_began + (n + 1) * CHARACTER_S for n in range(85)]
    )


def test_an_exchange_lasts_what_the_standard_says() -> None:
    master = Master()
    master.send()
    master.rest()
    (exchange,) = master.exchanges
    assert exchange.reply_ended is not None
    assert exchange.reply_ended - exchange.began == pytest.approx((8 + 5 + 2 * 40) * CHARACTER_S + 0.005)
    assert (exchange.unit, exchange.function, exchange.address, exchange.count) == (1, 3, 0, 40)
    assert (exchange.length, exchange.reply_length, exchange.status) == (8, 85, Status.OK)
    assert exchange.gap_s is None


def test_a_fifo_hands_over_in_lumps_and_the_rest_after_four_characters() -> None:
    master = Master(evolve(WIRE, fifo=8))
    master.send()
    master.rest()
    began = 1000.0 + 8 * CHARACTER_S + 0.005
    assert [len(given) for _, given in master.given] == [8] * 10 + [5]
    assert master.given[0][0] == pytest.approx(began + 8 * CHARACTER_S)
    assert master.given[-1][0] == pytest.approx(began + (85 + 4) * CHARACTER_S)
    assert master.exchanges[0].reply_ended == pytest.approx(began + 85 * CHARACTER_S)  # the wire was free before


def test_the_gap_is_counted_from_the_end_of_the_last_byte_on_the_wire() -> None:
    master = Master()
    for pause_s in (T35_S + 0.0001, T35_S - 0.0001):
        master.send()
        master.until(master.now + (8 + 85) * CHARACTER_S + 0.005 + pause_s)
    master.send()
    master.rest()
    assert [exchange.gap_s for exchange in master.exchanges[1:]] == pytest.approx([T35_S + 0.0001, T35_S - 0.0001])
    assert [exchange.is_early for exchange in master.exchanges] == [False, False, True]


def test_strict_slaves_do_not_see_a_request_that_comes_too_early() -> None:
    master = Master(evolve(WIRE, is_strict=True))
    for _ in range(3):
        master.send()
        master.until(master.now + (8 + 85) * CHARACTER_S + 0.005 + 0.0005)
    master.rest()
    assert [exchange.status for exchange in master.exchanges] == [Status.OK, Status.UNSEEN, Status.OK]


def test_a_request_in_pieces_is_one_as_long_as_no_silence_splits_it() -> None:
    master = Master()
    master.send(REQUEST[:3])
    master.until(master.now + 3 * CHARACTER_S + T35_S - 0.0005)
    master.send(REQUEST[3:])
    master.rest()
    assert [exchange.status for exchange in master.exchanges] == [Status.OK]


def test_a_silence_inside_a_request_ends_it() -> None:
    master = Master()
    master.send(REQUEST[:3])
    master.until(master.now + 3 * CHARACTER_S + T35_S + 0.0005)
    master.send(REQUEST[3:])
    master.rest()
    assert [exchange.status for exchange in master.exchanges] == [Status.DAMAGED, Status.DAMAGED]
    assert master.heard == b""


def test_a_pause_before_the_reply_lies_between_its_bounds() -> None:
    master = Master(Wire())
    pauses = set()
    for _ in range(40):
        master.send()
        master.rest()
        exchange = master.exchanges[-1]
        assert exchange.reply_began is not None
        pauses.add(round(exchange.reply_began - exchange.ended, 6))
    assert min(pauses) >= 0.005
    assert max(pauses) <= 0.010
    assert len(pauses) > 30


@pytest.mark.parametrize(
    ("frame", "status"),
    [
        (framed(9, bytes.fromhex("03 0000 0001")), Status.SILENT),
        (framed(2, bytes.fromhex("03 0000 0001")), Status.REFUSED),
        (framed(0, bytes.fromhex("06 0000 0001")), Status.BROADCAST),
        (REQUEST[:-1] + b"\x00", Status.DAMAGED),
        (b"\x01", Status.DAMAGED),
        (bytes(300), Status.DAMAGED),
    ],
)
def test_every_request_ends_as_one_exchange(frame: bytes, status: Status) -> None:
    master = Master()
    master.send(frame)
    master.rest()
    assert [exchange.status for exchange in master.exchanges] == [status]
    assert master.bus.wake_at() is None


def test_silent_units_say_nothing() -> None:
    master = Master(faults=Faults(silent=frozenset({1})))
    master.send()
    master.rest()
    assert master.heard == b""
    assert [exchange.status for exchange in master.exchanges] == [Status.SILENT]


@pytest.mark.parametrize(
    ("faults", "status"),
    [(Faults(crc=1.0), Status.CRC), (Faults(noise=1.0), Status.NOISE)],
)
def test_damaged_replies_are_damaged(faults: Faults, status: Status) -> None:
    master = Master(faults=faults)
    for _ in range(20):
        master.given.clear()
        master.send()
        master.rest()
        assert not is_intact(master.heard)
    assert {exchange.status for exchange in master.exchanges} == {status}


def test_faults_fall_as_often_as_asked_and_the_same_for_one_seed() -> None:
    def statuses(seed: int) -> list[Status]:
        master = Master(faults=Faults(crc=0.25, seed=seed))
        for _ in range(200):
            master.send()
            master.rest()
        return [exchange.status for exchange in master.exchanges]

    assert 30 < statuses(1).count(Status.CRC) < 70
    assert statuses(1) == statuses(1) != statuses(2)


def test_a_late_reply_comes_after_its_master_gave_up() -> None:
    master = Master(faults=Faults(late=1.0, late_s=0.4))
    master.send()
    master.rest(0.3)
    assert master.heard == b""
    master.rest()
    assert master.heard == REPLY
    assert [exchange.status for exchange in master.exchanges] == [Status.LATE]


def test_a_slave_answers_its_late_request_before_the_next_one() -> None:
    master = Master(faults=Faults(late=1.0, late_s=0.1))
    master.send()
    master.rest(0.05)
    master.send()
    master.rest()
    assert master.heard == REPLY * 2
    first, second = master.exchanges
    assert first.reply_ended is not None
    assert second.reply_began is not None
    assert second.reply_began > first.reply_ended


def test_a_late_reply_and_a_request_spoil_each_other() -> None:
    master = Master(faults=Faults(late=1.0, late_s=0.1))
    master.send()
    began = 8 * CHARACTER_S + 0.105
    master.rest(began - 0.004)
    master.send(framed(2, bytes.fromhex("03 0000 0001")))
    master.rest()
    assert [exchange.status for exchange in master.exchanges] == [Status.COLLIDED, Status.COLLIDED]
    assert len(master.heard) == 85
    assert not is_intact(master.heard)


def test_two_slaves_that_speak_at_once_spoil_each_other() -> None:
    master = Master(faults=Faults(late=1.0, late_s=0.1))
    master.send()
    master.rest(0.05)
    master.send(framed(2, bytes.fromhex("03 0000 0001")))
    master.rest()
    assert [exchange.status for exchange in master.exchanges] == [Status.COLLIDED, Status.COLLIDED]
    assert not is_intact(master.heard)


def test_a_master_that_interrupts_spoils_both() -> None:
    master = Master()
    master.send()
    master.rest(0.05)
    master.send()
    master.rest()
    assert [exchange.status for exchange in master.exchanges] == [Status.COLLIDED, Status.COLLIDED]
    assert master.heard[:20] == REPLY[:20]
    assert not is_intact(master.heard)


def test_nothing_takes_time_on_an_instant_wire() -> None:
    master = Master(Wire(is_instant=True))
    master.send()
    assert master.bus.give(master.now) == REPLY
    assert master.exchanges[0].status is Status.OK
    master.send(REQUEST[:4])
    master.rest()
    assert master.exchanges[1].status is Status.DAMAGED


def test_fast_lines_have_the_fixed_silence_of_the_standard() -> None:
    assert Wire(LineSettings(19200)).silence_s == pytest.approx(3.5 * 10 / 19200)
    assert Wire(LineSettings(115200)).silence_s == 0.00175


def test_lateness_of_the_simulator_is_told_and_does_not_move_the_wire() -> None:
    master = Master()
    master.send()
    given = b""
    while (wake_at := master.bus.wake_at()) is not None:
        given += master.bus.give(wake_at + 0.0004)
    assert given == REPLY
    (exchange,) = master.exchanges
    assert exchange.lag_s == pytest.approx(0.0004)
    assert exchange.reply_ended == pytest.approx(1000.0 + 93 * CHARACTER_S + 0.005)


def test_exchanges_survive_their_log_and_an_unfinished_line_is_left_out() -> None:
    master = Master()
    for frame in (REQUEST, framed(9, bytes.fromhex("03 0000 0001"))):
        master.send(frame)
        master.rest()
    text = "".join(map(as_line, master.exchanges))
    assert from_log(text) == master.exchanges
    assert from_log(text[:-1]) == master.exchanges[:1]
    assert from_log("") == []


@pytest.mark.parametrize("wire", [Wire(), evolve(Wire(), fifo=8), evolve(Wire(), fifo=64), Wire(is_instant=True)])
def test_two_slaves_with_one_address_spoil_each_others_replies(wire: Wire) -> None:
    master = Master(wire)
    for _ in range(20):
        master.given.clear()
        master.send(TWINS)
        master.rest()
        assert not is_intact(master.heard)
        assert len(LONG) <= len(master.heard) <= len(LONG) + len(SHORT)
    assert [exchange.status for exchange in master.exchanges] == [Status.COLLIDED] * 20
    assert master.bus.wake_at() is None


def test_what_is_left_of_the_longer_reply_is_heard_and_the_wire_is_free_only_then() -> None:
    master = Master()
    master.send(TWINS)
    master.rest()
    (exchange,) = master.exchanges
    assert exchange.reply_ended == pytest.approx(1000.0 + (8 + len(LONG)) * CHARACTER_S + 0.005)
    assert master.heard[: len(SHORT)] != LONG[: len(SHORT)]
    assert master.heard[len(SHORT) :] == LONG[len(SHORT) :]
    assert master.given[-1][0] == pytest.approx(exchange.reply_ended)
    master.bus.take(REQUEST, exchange.reply_ended + T35_S + 0.0001)
    master.rest()
    assert not master.exchanges[1].is_early


def test_any_number_of_slaves_with_one_address_end_as_one_exchange() -> None:
    master = Master(evolve(WIRE, turnaround_s=(0.005, 0.060)))  # their short replies may miss each other
    for _ in range(20):
        master.send(FOUR)
        master.rest()
    assert len(master.exchanges) == 20
    assert {exchange.status for exchange in master.exchanges} == {Status.COLLIDED, Status.REFUSED}
    assert len(master.heard) <= 20 * 4 * 5


def test_capture_lets_the_first_to_speak_survive_whole() -> None:
    master = Master(Wire(), Faults(capture=1.0))
    survivors = set()
    for _ in range(20):
        master.given.clear()
        master.send(TWINS)
        master.rest()
        survivors.add(master.heard)
    assert survivors == {LONG, SHORT}
    assert {exchange.status for exchange in master.exchanges} == {Status.OK, Status.REFUSED}


def test_capture_falls_as_often_as_asked() -> None:
    master = Master(Wire(), Faults(capture=0.3))
    for _ in range(200):
        master.send(TWINS)
        master.rest()
    assert 100 < [exchange.status for exchange in master.exchanges].count(Status.COLLIDED) < 180


def test_faults_that_are_changed_hold_from_the_next_request_on() -> None:
    master = Master()
    for faults in (Faults(), Faults(silent=frozenset({1})), Faults(crc=1.0), Faults()):
        master.bus.faults = faults
        master.send()
        master.rest()
    assert [exchange.status for exchange in master.exchanges] == [Status.OK, Status.SILENT, Status.CRC, Status.OK]


@pytest.mark.parametrize("wire", [WIRE, evolve(WIRE, fifo=8), evolve(WIRE, fifo=3), evolve(WIRE, is_instant=True)])
def test_an_echoing_adapter_gives_the_master_its_own_bytes_back_first(wire: Wire) -> None:
    master = Master(evolve(wire, is_echoing=True))
    for number in range(1, 4):
        master.send(REQUEST)
        master.rest()
        assert master.heard == (REQUEST + REPLY) * number
    master.send(framed(9, bytes.fromhex("03 0000 0001")))
    master.rest()
    assert master.heard.endswith(framed(9, bytes.fromhex("03 0000 0001")))
    assert master.bus.wake_at() is None


def test_an_echo_comes_byte_by_byte_as_it_is_sent() -> None:
    master = Master(evolve(WIRE, is_echoing=True))
    master.send()
    master.rest()
    assert [moment for moment, _ in master.given[:8]] == pytest.approx(
        [1000.0 + (n + 1) * CHARACTER_S for n in range(8)]
    )


def test_the_echo_of_an_interruption_is_noise() -> None:
    master = Master(evolve(WIRE, is_echoing=True))
    master.send()
    master.rest(8 * CHARACTER_S + 0.010)
    master.given.clear()
    master.send()
    master.rest()
    assert REQUEST not in master.heard
    assert [exchange.status for exchange in master.exchanges] == [Status.COLLIDED, Status.COLLIDED]
