"""concentrator.mbusgate.gateway: whose the wire is, and what happens to bytes, with a clock in the test's hand."""

import pytest
from twisted.trial.unittest import SynchronousTestCase

from concentrator.line.line import CEILING_S
from concentrator.line.turns import STRAY_PAUSE_S
from concentrator.mbusgate.passage import FRAME_S, LATE_S
from concentrator.mbusgate.terms import ABANDONED_S, LINGER_S, SILENCE_S
from concentrator.model.errors import LineLost, NoReply
from tests.support.gateways import House
from tests.support.lines import Port, Wire, ask, echo

results = SynchronousTestCase()

REQUEST = bytes.fromhex("10 5B 01 5C 16")
ANSWER = bytes.fromhex("68 03 03 68 08 01 72 7B 16")
NKE_SELECTED = bytes.fromhex("10 40 FD 3D 16")
SELECT = bytes.fromhex("68 0B 0B 68 73 FD 52 78 56 34 12 FF FF FF FF D2 16")
READ_SELECTED = bytes.fromhex("10 5B FD 58 16")


def more_to_come(is_more):
    """A meter's telegram, variable structure, that ends in DIF 1F or 0F."""
    data = bytes.fromhex("78 56 34 12 24 40 01 07 55 00 00 00 03 13 15 31 00") + (b"\x1f" if is_more else b"\x0f")
    body = b"\x08\x01\x72" + data
    return bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))


@pytest.fixture
def house(request):
    houses = []

    def build(make=Wire, **terms):
        houses.append(House(make, **terms))
        return houses[-1]

    yield build
    for each in houses:
        each.close()


@pytest.mark.parametrize("make", [Wire, Port])
def test_bytes_pass_both_ways_as_they_are(house, make):
    home = house(make)
    guest = home.guest()
    everything = bytes(range(256))
    guest.say(everything)
    home.run(0.01)
    assert home.sent() == everything
    for byte in everything:
        home.wire.deliver(bytes((byte,)))
        home.run(0.001)
        assert guest.heard() == bytes((byte,))
    assert (home.gateway.statistics.from_network, home.gateway.statistics.from_serial) == (256, 256)


def test_the_first_client_has_the_line_and_own_reading_stands_aside(house):
    home = house()
    assert home.gateway.state().standing == "Waiting"
    guest = home.guest()
    state = home.gateway.state()
    assert (state.standing, state.client) == ("Connected", "127.0.0.1")
    assert "M-Bus gateway main" in home.polling.suspended
    polled = home.line.run(1, ask(echo(b"a.")))
    guest.say(REQUEST)
    home.run(1)
    assert home.sent() == REQUEST
    guest.leave()
    home.run(LINGER_S - 0.1)
    assert home.sent() == REQUEST and home.polling.suspended
    home.answer(b"a.", b"a.", 0.2 + CEILING_S)  # nobody has answered the client, and somebody might
    assert results.successResultOf(polled) == [b"a."]
    assert (home.polling.suspended, home.polling.went_on) == ("", 1)
    assert home.gateway.state().standing == "Waiting"


def test_a_second_client_is_refused_and_counted(house):
    home = house()
    first, second = home.guest(), home.guest()
    assert second.is_out and not first.is_out
    figures = home.figures()
    assert (figures["Completed Accepts"], figures["Dropped Accepts"], figures["Disconnects"]) == (1, 1, 0)
    first.leave()
    home.run(0.01)
    third = home.guest()
    third.say(REQUEST)
    home.run(0.01)
    assert home.sent() == REQUEST
    figures = home.figures()
    assert (figures["Completed Accepts"], figures["Dropped Accepts"], figures["Disconnects"]) == (2, 1, 1)


def test_where_it_is_so_configured_a_second_client_waits_for_its_turn(house):
    home = house(is_queueing=True)
    first, second, third = home.guest(), home.guest(), home.guest()
    assert not second.is_out and not second.is_taken_from
    assert home.gateway.state().queued == 2
    second.leave()
    assert home.gateway.state().queued == 1
    first.leave()
    home.run(0.01)
    third.say(REQUEST)
    home.run(0.01)
    assert home.sent() == REQUEST
    assert home.gateway.state().queued == 0


def test_who_waits_for_a_turn_is_let_go_with_the_gateway(house):
    home = house(is_queueing=True)
    guests = [home.guest() for _ in range(12)]
    assert [guest.is_out for guest in guests] == [False] * 9 + [True] * 3
    home.gateway.stop()
    assert all(guest.is_out for guest in guests)


def test_a_client_from_a_network_that_is_not_allowed_does_not_get_in(house):
    home = house()
    assert home.guest("192.0.2.7").is_denied
    figures = home.figures()
    assert (figures["Dropped Accepts"], figures["Denied Accepts"], figures["Completed Accepts"]) == (1, 1, 0)
    assert not home.guest("127.0.0.9").is_denied


def test_a_client_is_let_go_after_ten_seconds_without_data_in_either_direction(house):
    home = house()
    guest = home.guest()
    home.run(9, 0.05)
    guest.say(REQUEST)
    home.run(9, 0.05)
    home.wire.deliver(ANSWER)
    home.run(9.9, 0.05)
    assert not guest.is_out
    home.run(0.2, 0.05)
    assert guest.is_out
    assert home.figures()["Disconnects"] == 1
    assert home.figures()["Accept Connection Time"] == "0 days 00:00:28"


def test_a_disconnect_timeout_of_zero_is_none(house):
    home = house(disconnect_s=0.0)
    guest = home.guest()
    home.run(3600, 1)
    assert not guest.is_out
    assert home.figures()["Accept Connection Time"] == "0 days 01:00:00"


def test_it_waits_for_the_conversation_in_progress_and_drops_what_would_be_late(house):
    home = house()
    polled = home.line.run(1, ask(echo(b"a."), echo(b"b.")))
    home.run(0.001)
    guest = home.guest()
    assert home.gateway.state().standing == "Asking for the line"
    guest.say(REQUEST)
    home.run(LATE_S - 0.01)
    assert home.figures()["Octets dropped as late"] == 0
    home.run(0.02)
    assert home.figures()["Octets dropped as late"] == len(REQUEST)
    guest.say(REQUEST[:2])  # the rest of something late is late
    home.wire.answer(b"a.")
    home.wire.answer(b"b.")
    home.run(LATE_S)
    assert results.successResultOf(polled) == [b"a.", b"b."]
    guest.say(ANSWER)
    home.run(0.01)
    assert home.sent() == b"a.b." + ANSWER
    assert home.figures()["Octets dropped as late"] == len(REQUEST) + 2


def test_what_waits_less_than_that_for_the_wire_goes_out(house):
    home = house()
    polled = home.line.run(1, ask(echo(b"a.")))
    home.run(0.001)
    guest = home.guest()
    guest.say(REQUEST)
    home.run(0.01)
    home.wire.answer(b"a.")
    results.successResultOf(polled)
    assert home.sent() == b"a." + REQUEST
    assert home.figures()["Octets dropped as late"] == 0


def test_a_client_that_says_no_more_is_answered_before_it_is_let_go(house):
    home = house()
    guest = home.guest()
    guest.say(REQUEST)
    guest.end()
    home.run(0.1)
    home.wire.deliver(ANSWER)
    home.run(0.1)
    assert guest.heard() == ANSWER and not guest.is_out
    home.run(0.5)
    assert guest.is_out
    assert home.sent() == REQUEST


def test_one_that_connects_speaks_and_ends_at_once_is_served_too(house):
    home = house()
    polled = home.line.run(1, ask(echo(b"a.")))
    home.run(0.001)
    guest = home.guest()
    guest.say(REQUEST)
    guest.end()
    home.wire.answer(b"a.")
    results.successResultOf(polled)
    home.wire.deliver(ANSWER)
    home.run(0.05)
    assert home.sent() == b"a." + REQUEST
    assert guest.heard() == ANSWER


def test_a_lost_line_ends_the_connection_and_without_a_line_there_is_none(house):
    home = house()
    guest = home.guest()
    home.wire.refusal = LineLost("the port is not there")
    home.wire.lose()
    assert guest.is_out
    second = home.guest()
    assert second.is_out
    state = home.gateway.state()
    assert (state.standing, state.statistics["Dropped Accepts"]) == ("Waiting", 1)
    assert "native" in state.trouble
    home.wire.refusal = None
    home.run(3, 0.05)
    third = home.guest()
    third.say(REQUEST)
    home.run(0.01)
    assert home.sent() == REQUEST
    assert home.gateway.state().trouble == ""


def test_a_client_that_does_not_take_what_the_line_says_makes_the_line_wait(house):
    home = house(disconnect_s=0.0)
    guest = home.guest()
    guest.protocol.send(b"", lambda: None)
    producer = guest.transport.producer
    producer.pauseProducing()
    home.wire.deliver(b"first")
    home.run(0.01)
    assert home.wire.transport.producerState != "producing"
    home.wire.deliver(b"second")
    home.run(1)
    assert guest.heard() == b""
    producer.resumeProducing()
    home.run(0.01)
    assert guest.heard() == b"firstsecond"


@pytest.mark.parametrize("is_framed", [False, True], ids=["bytes", "frames"])
def test_what_one_client_did_not_take_is_not_the_next_ones_and_that_one_is_heard(house, is_framed):
    home = house(Port, is_framed=is_framed)
    first = home.guest()
    first.protocol.send(b"", lambda: None)
    if not is_framed:
        first.transport.producer.pauseProducing()
    home.wire.deliver(more_to_come(False)[:9])
    home.run(0.002)
    home.wire.deliver(b"of the first")
    first.leave()
    second = home.guest()
    home.run(STRAY_PAUSE_S)
    assert home.gateway.state().standing == "Connected"
    home.wire.deliver(ANSWER)
    home.run(0.2)
    assert second.heard() == ANSWER


def test_nothing_more_is_taken_of_a_client_than_the_line_has_room_for(house):
    home = house(Port)
    guest = home.guest()
    handful = bytes(range(256)) * 16
    taken = 0
    while guest.is_taken_from:
        guest.say(handful)
        taken += len(handful)
    assert taken > len(handful)
    waiting = taken - home.gateway.statistics.from_network
    assert 0 < waiting <= len(handful)
    home.run(1)
    assert home.sent() == handful * (taken // len(handful))
    assert guest.is_taken_from
    assert home.gateway.statistics.from_network == taken


def test_what_a_client_has_said_that_is_gone_is_not_sent_any_more(house):
    home = house(Port)
    guest = home.guest()
    while guest.is_taken_from:
        guest.say(bytes(4096))
    guest.leave()
    before = home.gateway.statistics.from_network
    home.run(1)
    assert len(home.sent()) == home.gateway.statistics.from_network == before


class TestSharedByTime:
    def test_own_reading_goes_on_while_the_client_is_silent(self, house):
        home = house(is_shared=True, disconnect_s=0.0)
        guest = home.guest()
        polled = home.line.run(1, ask(echo(b"a.")))
        guest.say(REQUEST)
        home.run(2)
        home.wire.deliver(ANSWER)
        home.run(SILENCE_S - 0.05)
        assert home.sent() == REQUEST
        home.run(0.1)
        assert home.sent() == REQUEST + b"a."
        assert home.gateway.state().standing == "Connected, silent"
        home.wire.answer(b"a.")
        results.successResultOf(polled)
        guest.heard()
        guest.say(REQUEST)
        home.run(0.01)
        assert home.sent() == REQUEST + b"a." + REQUEST
        home.wire.deliver(ANSWER)
        home.run(0.01)
        assert guest.heard() == ANSWER
        assert not home.polling.suspended

    def test_the_client_hears_nothing_of_what_the_box_reads(self, house):
        home = house(is_shared=True, disconnect_s=0.0)
        guest = home.guest()
        home.run(SILENCE_S + 0.1)
        polled = home.line.run(1, ask(echo(b"a.")))
        home.run(0.01)
        home.wire.answer(b"a.")
        results.successResultOf(polled)
        assert guest.heard() == b""

    @pytest.mark.parametrize(
        ("first", "heard", "second"),
        [
            pytest.param(SELECT, b"\xe5", READ_SELECTED, id="between a selection and its answer"),
            pytest.param(REQUEST, None, REQUEST, id="inside an answer of several telegrams"),
        ],
    )
    def test_never_in_the_middle(self, house, first, heard, second):
        home = house(is_shared=True, disconnect_s=0.0)
        guest = home.guest()
        polled = home.line.run(1, ask(echo(b"a."))) if heard is None else None
        guest.say(first)
        home.run(0.1)
        home.wire.deliver(more_to_come(True) if heard is None else heard)
        polled = polled or home.line.run(1, ask(echo(b"a.")))
        home.run(SILENCE_S + 1)
        assert home.sent() == first
        guest.say(second)
        home.run(0.1)
        home.wire.deliver(more_to_come(False))
        assert home.sent().count(b"a.") == 0
        home.answer(b"a.", b"a.", SILENCE_S + 0.1)
        results.successResultOf(polled)

    def test_a_client_that_stays_in_the_middle_does_not_stop_the_box_for_ever(self, house):
        home = house(is_shared=True, disconnect_s=0.0)
        guest = home.guest()
        guest.say(SELECT)
        home.wire.deliver(b"\xe5")
        polled = home.line.run(1, ask(echo(b"a.")))
        home.run(ABANDONED_S - 0.5, 0.01)
        assert home.sent() == SELECT
        home.answer(b"a.", b"a.")
        results.successResultOf(polled)

    def test_a_client_whose_bytes_the_line_never_took_is_heard_again(self, house):
        home = house(Port, is_shared=True, disconnect_s=0.0)
        guest = home.guest()
        home.wire.flush = lambda: None
        while guest.is_taken_from:
            guest.say(bytes(4096))
        home.run(SILENCE_S + 6, 0.01)
        assert home.gateway.state().standing == "Connected, silent"
        assert guest.is_taken_from

    def test_a_client_that_takes_nothing_makes_the_line_wait_whenever_it_has_it(self, house):
        home = house(is_shared=True, disconnect_s=0.0)
        guest = home.guest()
        guest.protocol.send(b"", lambda: None)
        guest.transport.producer.pauseProducing()
        home.wire.deliver(ANSWER)
        home.run(SILENCE_S + 0.1)
        assert home.gateway.state().standing == "Connected, silent"
        guest.say(REQUEST)
        home.run(0.01)
        assert home.gateway.state().standing == "Connected"
        assert home.wire.transport.producerState != "producing"

    def test_a_client_that_leaves_while_it_is_silent_leaves_nothing_behind(self, house):
        home = house(is_shared=True, disconnect_s=0.0)
        guest = home.guest()
        home.run(SILENCE_S + 0.1)
        guest.leave()
        assert home.gateway.state().standing == "Waiting"
        second = home.guest()
        home.run(SILENCE_S + 0.1)
        second.end()
        assert second.is_out


def test_a_client_that_may_talk_to_some_meters_talks_to_no_other(house):
    home = house(addresses=frozenset({1}))
    guest = home.guest()
    guest.say(REQUEST + bytes.fromhex("10 5B 02 5D 16") + REQUEST[:3])
    home.run(0.01)
    assert home.sent() == REQUEST
    guest.say(REQUEST[3:])
    home.run(0.01)
    assert home.sent() == REQUEST * 2
    assert home.figures()["Frames filtered"] == 1
    guest.say(REQUEST[:3])
    home.run(FRAME_S + 0.1)
    guest.say(REQUEST)
    home.run(0.01)
    assert home.sent() == REQUEST * 3
    assert home.figures()["Frames filtered"] == 2


def test_who_is_thrown_out_is_gone_and_the_line_is_free_for_the_next(house):
    home = house()
    home.gateway.disconnect()
    guest = home.guest()
    home.gateway.disconnect()
    assert guest.is_out
    assert home.figures()["Disconnects"] == 1
    assert not home.guest().is_out


def test_a_line_that_is_suspended_already_stays_so_afterwards(house):
    home = house()
    home.polling.suspended = "meters are being searched"
    home.guest().leave()
    home.run(LINGER_S + 1, 0.05)
    assert home.polling.suspended == "meters are being searched"


def test_a_gateway_that_stops_gives_the_line_back(house):
    home = house()
    guest = home.guest()
    home.gateway.stop()
    assert guest.is_out and home.entrance.closed == 1
    polled = home.line.run(1, ask(echo(b"a.")))
    home.run(0.01)
    home.wire.answer(b"a.")
    results.successResultOf(polled)
    assert home.gateway.state().standing == "Closed"


class TestNobodyGetsAnothersAnswer:
    """The next client would take it for the answer to its own question."""

    def test_who_comes_after_one_that_was_not_answered_has_the_wire_when_nobody_answers_any_more(self, house):
        home = house()
        first = home.guest()
        first.say(REQUEST)
        home.run(0.01)
        left = home.clock.seconds()
        first.leave()
        second = home.guest()
        second.say(NKE_SELECTED)
        home.run(0.4)
        home.wire.deliver(ANSWER)
        home.run(CEILING_S - 0.3)
        assert (second.heard(), home.sent(), home.figures()["Octets dropped as late"]) == (b"", REQUEST, 5)
        assert home.clock.seconds() - left >= CEILING_S
        second.say(REQUEST)
        home.answer(REQUEST + REQUEST, ANSWER)
        home.run(0.01)
        assert second.heard() == ANSWER

    @pytest.mark.parametrize("is_framed", [False, True])
    def test_who_comes_in_the_middle_of_an_answer_waits_for_its_end(self, house, is_framed):
        home = house(is_framed=is_framed)
        first = home.guest()
        first.say(REQUEST)
        home.run(0.01)
        home.wire.deliver(ANSWER[:4])
        home.run(0.01)
        first.leave()
        second = home.guest()
        for byte in ANSWER[4:] * 40:
            home.wire.deliver(bytes((byte,)))
            home.run(0.01)
        second.say(NKE_SELECTED)
        home.run(0.2)
        assert (second.heard(), home.sent()) == (b"", REQUEST)
        second.say(NKE_SELECTED)
        home.answer(REQUEST + NKE_SELECTED, b"\xe5")
        home.run(0.01)
        assert second.heard() == b"\xe5"

    @pytest.mark.parametrize("is_framed", [False, True])
    def test_who_connects_anew_for_each_question_is_served_at_once(self, house, is_framed):
        home = house(is_framed=is_framed)
        for number in range(1, 6):
            guest = home.guest()
            guest.say(REQUEST)
            home.answer(REQUEST * number, ANSWER, 0.04)
            home.run(0.01)
            assert guest.heard() == ANSWER
            guest.leave()
        assert home.figures()["Octets dropped as late"] == 0

    def test_who_leaves_before_it_had_the_wire_changes_nothing_about_it(self, house):
        home = house()
        first = home.guest()
        first.say(REQUEST)
        home.run(0.01)
        first.leave()
        second = home.guest()
        second.leave()
        third = home.guest()
        home.run(0.5)
        home.wire.deliver(ANSWER)
        home.run(CEILING_S)
        assert third.heard() == b""

    def test_a_gateway_that_begins_anew_does_not_hand_over_an_old_answer(self, house):
        home = house()
        first = home.guest()
        first.say(REQUEST)
        home.run(0.01)
        home.wire.deliver(ANSWER[:4])
        home.run(0.002)
        home.gateway.stop()
        heard = []
        lent = home.line.lease(heard.append, lambda: None)
        home.run(0.05)
        home.wire.deliver(ANSWER[4:])
        home.run(CEILING_S + 0.1)
        assert heard == []
        results.successResultOf(lent).release()

    def test_what_the_box_was_not_answered_does_not_come_to_a_client(self, house):
        home = house()
        polled = home.line.run("meter", ask(echo(b"a.")))
        home.run(0.31)
        results.failureResultOf(polled, NoReply)
        guest = home.guest()
        home.run(0.3)
        home.wire.deliver(b"a.")
        home.run(CEILING_S)
        assert guest.heard() == b""
        guest.say(REQUEST)
        home.answer(REQUEST, ANSWER)
        home.run(0.01)
        assert guest.heard() == ANSWER


def test_the_figures_are_those_of_the_original_in_its_order(house):
    state = house().gateway.state()
    shown = list(state.statistics)
    assert shown[:8] == [
        "Completed Accepts",
        "Completed Connects",
        "Disconnects",
        "Dropped Accepts",
        "Dropped Connects",
        "Octets forwarded from Serial",
        "Octets forwarded from Network",
        "Accept Connection Time",
    ]
    assert shown[8:20] == [f"Connect {number} Connection Time" for number in range(1, 13)]
    assert list(state.serial) == [
        "Bytes",
        "Breaks",
        "Parity Errors",
        "Framing Errors",
        "Overrun Errors",
        "No Rx Buffer Errors",
        "Queued Receive Bytes",
        "Queued Transmit Bytes",
    ]
    assert state.serial["Parity Errors"] == (None, None)  # this port's driver does not count
