"""A genset's cloud session from login to goodbye, with a strict server and a controller on one clock."""

import itertools

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from concentrator.genset.session import LOST_S, REFUSED_S
from concentrator.wire.smartgen import Changes, FullSet, Heartbeat, Inputs, Login, LongCon, ResetTaken, Timing, Written
from concentrator.wire.smartgen_fields import Frame, Wiring
from concentrator.wire.smartgen_server import LoginAnswer, Reset, WriteConfig
from tests.support.smartgen_cloud import ANSWER, COILS, LIVE, LOGIN, ONCE, OTHER, REGISTERS, SERVER, scene

FULL = evolve(ANSWER, is_full=True)
AUTO = "00050003FF007DEB"  # as a server sends it: to slave 0


@pytest.fixture
def begun(clock):
    """A maker of sessions that have begun; they end with the test."""
    made = []

    def begin(answer=ANSWER, seconds=2.0, **terms):
        its = scene(clock, answer, **terms)
        made.append(its)
        its.session.begin()
        its.run(seconds)
        return its

    yield begin
    for its in made:
        its.session.end()
        assert its.cloud.roads == []
    clock.advance(0.02)  # a controller that was asked still answers
    clock.advance(1.0)


def test_it_logs_in_calls_where_it_is_told_and_uploads_everything_first(begun):
    its = begun(evolve(ANSWER, once=(ONCE,)), seconds=4.0)
    said = [(place, type(message)) for _, place, message in its.cloud.heard[:5]]
    assert said == [(SERVER, Login), (LIVE, LongCon), (LIVE, Timing), (LIVE, Changes), (LIVE, FullSet)]
    assert its.cloud.heard[0][2] == LOGIN
    (everything,) = its.cloud.said(Changes)
    assert [(run.function, run.address, len(run.content)) for run in everything.runs] == [(1, 0, 2), (3, 0, 20)]
    (once,) = its.cloud.said(FullSet)
    assert [each.hex()[:14] for each in once.frames] == ["01030400640065"]
    assert its.times == [1497811080.0]
    assert its.standing == ["Registering", "Connecting", "Online"]


def test_a_day_of_changes_only(begun):
    its = begun()
    day = 86400
    its.cloud.heard.clear()
    edges = []
    for minute in range(day // 60):
        its.genset.words[minute % 10] += 1
        if minute % 360 == 100:
            edges.append(its.clock.seconds())
            its.session.inputs_changed(Inputs(fire=True))
            its.run(0.5, 0.5)
            its.session.inputs_changed(Inputs())
            its.run(59.5, 0.5)
        else:
            its.run(60, 0.5)
    changes = its.cloud.said(Changes)
    alone = [each for each in changes if len(each.runs) == 1 and each.runs[0].function == 3]
    whole = [each for each in changes if len(each.runs) == 2]
    assert len(whole) == day // 600
    # Each minute one word changed: alone it was uploaded, or with everything.
    assert len(alone) + len(whole) >= day // 60
    assert sum(len(each.runs[0].content) == 2 for each in alone) == len(alone)
    assert len(alone) <= day // 60
    assert len(its.cloud.said(Timing)) == 4
    assert its.times == [1497811080.0] * 5
    assert its.cloud.said(FullSet, Login) == []
    heard = [when for when, _, _ in its.cloud.heard]
    assert max(later - earlier for earlier, later in itertools.pairwise(heard)) <= 6.0
    alarms = [when for when, _, message in its.cloud.heard if isinstance(message, Changes) and message.inputs.fire]
    assert [any(edge <= when < edge + 1 for when in alarms) for edge in edges] == [True] * 4
    rounds = sum(each == REGISTERS for each in its.genset.asked)
    assert day / 3.5 <= rounds <= day / 3 + 10


def test_what_did_not_change_is_not_uploaded_but_the_server_is_kept_company(begun):
    its = begun()
    its.cloud.heard.clear()
    its.run(60)
    assert {type(message) for _, _, message in its.cloud.heard} == {Heartbeat}
    assert len(its.cloud.heard) >= 11


def test_in_full_mode_each_round_uploads_all_frames_in_the_order_of_the_commands(begun):
    its = begun(FULL)
    its.run(30)
    assert 10 <= len(its.cloud.said(FullSet)) <= 12
    assert all([each[1] for each in message.frames] == [3, 1] for message in its.cloud.said(FullSet))
    assert its.cloud.said(Changes) == []


@pytest.mark.parametrize("answer", [ANSWER, FULL])
def test_an_alarm_input_is_told_at_once_in_either_mode(begun, answer):
    its = begun(answer, seconds=10)
    its.cloud.heard.clear()
    edge = its.clock.seconds()
    its.session.inputs_changed(Inputs(access=True))
    its.session.inputs_changed(Inputs(access=True))
    its.run(0.75)
    assert its.cloud.said(Changes) == [Changes(LOGIN.hostid, (), Inputs(access=True))]
    assert its.cloud.times(Changes)[0] - edge < 1


def test_an_alarm_input_is_told_at_once_though_the_server_answers_nothing(begun):
    its = begun(FULL)
    its.cloud.is_silent = True
    its.run(7)
    edge = its.clock.seconds()
    its.session.inputs_changed(Inputs(alarm=True))
    its.run(0.75)
    assert its.cloud.times(Changes)[0] - edge < 1


def test_an_alarm_of_the_controller_is_read_and_uploaded_at_once(begun):
    its = begun(evolve(ANSWER, online_s=20.0), seconds=5)
    its.cloud.heard.clear()
    its.genset.coils[1] = 0x40
    edge = its.clock.seconds()
    its.session.hasten()
    its.run(0.75)
    (change,) = its.cloud.said(Changes)
    assert [(run.function, run.address, run.content) for run in change.runs] == [(1, 8, b"\x40")]
    assert its.cloud.times(Changes)[0] - edge < 1


def test_an_alarm_of_the_controller_is_not_forgotten_while_something_waits_to_be_said(begun):
    its = begun(evolve(ANSWER, online_s=20.0), seconds=5)
    its.cloud.is_silent = True
    for state in (True, False, True):
        its.session.inputs_changed(Inputs(alarm=state))
    its.genset.coils[1] = 0x40
    its.cloud.heard.clear()
    its.session.hasten()
    its.run(3)
    assert [(run.function, run.content) for each in its.cloud.said(Changes) for run in each.runs] == [(1, b"\x40")]


@pytest.mark.parametrize(("told", "own", "rate_s"), [(2.0, 7.0, 2.0), (None, 7.0, 7.0), (20.0, 1.0, 20.0)])
def test_the_servers_rate_goes_before_the_boxs(begun, told, own, rate_s):
    its = begun(evolve(FULL, online_s=told, offline_s=told), rate_s=own)
    its.cloud.heard.clear()
    its.run(140)
    assert abs(len(its.cloud.said(FullSet)) - 140 / rate_s) <= 140 / rate_s * 0.15 + 1


def test_a_reset_is_confirmed_and_followed_by_a_new_login(begun):
    its = begun()
    its.cloud.answer = evolve(ANSWER, live=OTHER)
    its.cloud.heard.clear()
    its.road.say(Reset())
    its.run(3)
    said = [(place, type(message)) for _, place, message in its.cloud.heard[:5]]
    assert said == [(LIVE, ResetTaken), (SERVER, Login), (OTHER, LongCon), (OTHER, Timing), (OTHER, Changes)]
    assert len(its.cloud.said(Changes)[0].runs) == 2


def test_a_server_that_orders_one_login_after_another_gets_one_a_minute(begun):
    its = begun(seconds=10)
    its.cloud.heard.clear()
    since = its.clock.seconds()
    while its.clock.seconds() < since + 600:
        if its.standing[-1] == "Online":
            its.road.say(Reset())
        its.run(1.0)
    assert 9 <= len(its.cloud.said(Login)) <= 11
    assert len(its.cloud.said(ResetTaken)) in (len(its.cloud.said(Login)), len(its.cloud.said(Login)) + 1)


def test_it_ends_while_it_is_pressed_to_log_in(begun):
    its = begun(seconds=10)
    for _ in range(2):
        its.road.say(Reset())
        its.run(3.0)
    assert its.standing[-1] == "Waiting: the server orders one login after another"
    its.session.end()
    its.run(100.0)
    assert its.standing[-1] == "Stopped"


def test_without_a_live_address_the_server_itself_is_called(begun):
    its = begun(evolve(ANSWER, live=None))
    assert its.cloud.places(LongCon) == [SERVER]


def test_a_lost_connection_is_tried_again_where_it_was_and_everything_uploaded_anew(begun):
    its = begun()
    its.cloud.heard.clear()
    its.road.loseConnection()
    its.run(1)
    assert its.cloud.heard == []
    its.run(LOST_S[0] + 2)
    assert its.cloud.said(Login) == []
    assert its.cloud.places(LongCon) == [LIVE]
    assert len(its.cloud.said(Changes)[0].runs) == 2


def test_pauses_grow_and_after_five_failures_the_modem_logs_in_anew(begun):
    its = begun()
    its.cloud.heard.clear()
    its.cloud.away.add(LIVE)
    began = its.clock.seconds()
    its.road.loseConnection()
    its.run(50)
    assert its.cloud.said(Login) == []
    its.run(15)
    # 2 + 4 + 8 + 16 + 32 s
    assert [round(when - began) for when in its.cloud.times(Login)] == [62]
    its.cloud.away.clear()
    its.run(70)
    assert its.standing[-1] == "Online"


def test_a_server_that_is_away_is_called_for_ever_at_most_once_a_minute(begun):
    its = begun(seconds=0)
    its.cloud.away.update({SERVER, LIVE})
    its.road.loseConnection()
    its.run(3600)
    its.standing.clear()
    its.run(3600)
    assert 58 <= its.standing.count("Registering") <= 62
    its.cloud.away.clear()
    its.run(65)
    assert its.standing[-1] == "Online"


def test_a_server_that_refuses_is_asked_again_after_a_minute_and_then_seldom(begun):
    its = begun(LoginAnswer(False, code="000003", message="unknown"))
    assert its.standing[-1] == "Waiting: the server refuses: 000003 unknown"
    its.run(3000)
    times = its.cloud.times(Login)
    assert [round(b - a) for a, b in itertools.pairwise(times)] == [60, 120, 240, 480, 900, 900]
    assert REFUSED_S == (60.0, 900.0)
    its.cloud.answer = ANSWER
    its.run(900)
    assert its.standing[-1] == "Online"


def test_a_server_that_answers_nothing_is_left_at_every_turn(begun):
    its = begun(seconds=0)
    its.cloud.is_silent = True
    its.run(35)
    assert "Waiting: no answer in 30 s" in its.standing
    its.cloud.is_silent = False
    its.run(70)
    assert its.standing[-1] == "Online"
    its.cloud.is_silent = True
    its.run(40)
    assert "Waiting: the server said nothing for 30 s" in its.standing


def test_a_controller_that_is_silent_keeps_its_values_for_three_rounds_and_then_only_the_heart_beats(begun):
    its = begun(FULL)
    its.run(10)
    its.genset.is_silent = True
    its.run(4)
    its.cloud.heard.clear()
    its.run(30)
    assert 1 <= len(its.cloud.said(FullSet)) <= 3
    its.cloud.heard.clear()
    its.run(30)
    assert {type(message) for _, _, message in its.cloud.heard} == {Heartbeat}
    its.genset.is_silent = False
    its.run(10)
    assert its.cloud.said(FullSet)


def test_what_is_read_once_is_read_though_nothing_is_read_always(begun):
    its = begun(LoginAnswer(live=LIVE, once=(ONCE,)))
    its.run(20)
    assert its.genset.asked == [ONCE]
    assert len(its.cloud.said(FullSet)) == 1


def test_commands_are_for_our_controller_whatever_slave_they_name_first(begun):
    its = begun(evolve(ANSWER, always=(REGISTERS, COILS.of(0), COILS.of(9))), unit=5)
    assert [each.unit for each in its.genset.asked[:3]] == [5, 5, 9]


def test_nothing_is_written_unless_the_operator_allows_it(begun):
    its = begun()
    its.road.say(WriteConfig(AUTO, uid="7"))
    its.run(2)
    assert its.cloud.said(Written) == [Written(LOGIN.hostid, "7", AUTO, False)]
    assert its.genset.writes == []


def test_a_write_goes_to_our_controller_and_its_command_is_echoed(begun):
    its = begun(evolve(ANSWER, once=(ONCE,)), unit=5, allow_write=True)
    its.run(3)
    its.cloud.heard.clear()
    its.road.say(WriteConfig(AUTO, uid="7"))
    its.run(2)
    assert its.genset.writes == [Frame(5, bytes.fromhex("050003FF00"))]
    assert its.cloud.said(Written) == [Written(LOGIN.hostid, "7", AUTO, True)]
    assert len(its.cloud.said(FullSet)) == 1  # what is read once is read again


def test_a_write_that_is_not_answered_is_never_repeated(begun):
    its = begun(allow_write=True)
    its.genset.is_silent = True
    its.road.say(WriteConfig(AUTO, uid="7"))
    its.run(10)
    assert len(its.genset.writes) == 1
    assert its.cloud.said(Written) == [Written(LOGIN.hostid, "7", AUTO, False)]


def test_a_read_that_is_not_answered_is_repeated_once(begun):
    its = begun(allow_write=True)
    its.genset.is_silent = True
    its.road.say(WriteConfig(bytes(ONCE).hex()))
    its.run(10)
    assert its.genset.asked.count(ONCE) == 2
    assert [each.is_done for each in its.cloud.said(Written)] == [False]


@pytest.mark.parametrize(
    "refused",
    ["000000000000", "00050003FF007DEC", "nonsense", bytes(Frame(9, bytes.fromhex("050003FF00"))).hex()]
    + [bytes(Frame(1, bytes.fromhex(pdu))).hex() for pdu in ("08000012AB", "2B0E0100", "170000000100000001020000")],
)
def test_what_is_no_command_for_our_controller_is_refused(begun, refused):
    its = begun(allow_write=True)
    asked = len(its.genset.asked)
    its.road.say(WriteConfig(refused))
    its.run(0.25)
    assert its.cloud.said(Written) == [Written(LOGIN.hostid, None, refused, False)]
    assert len(its.genset.asked) == asked


def test_nothing_is_written_while_remote_control_is_inhibited(begun):
    its = begun(allow_write=True)
    its.session.inputs_changed(Inputs(inhibit=True))
    its.road.say(WriteConfig(AUTO))
    its.run(3)
    assert [each.is_done for each in its.cloud.said(Written)] == [False]
    assert its.genset.writes == []


def test_a_server_that_does_not_take_what_is_said_is_left_and_nothing_goes_on_behind_it(begun):
    its = begun(evolve(FULL, online_s=1.0))
    its.cloud.is_silent = True
    for n in range(80):
        its.session.inputs_changed(Inputs(alarm=n % 2 == 0))
    assert its.standing[-1] == "Waiting: the server answers too slowly"
    asked = len(its.genset.asked)
    its.run(1)
    assert len(its.genset.asked) <= asked + 1


def test_a_flood_of_commands_is_refused_beyond_a_few(begun):
    its = begun(allow_write=True)
    its.genset.is_silent = True
    for n in range(12):
        its.road.say(WriteConfig(AUTO, uid=n))
    its.run(25)
    answers = its.cloud.said(Written)
    assert sorted(each.uid for each in answers) == list(range(12))
    assert not any(each.is_done for each in answers)
    assert len(its.genset.writes) <= 5


def test_port_and_baud_rate_are_changed_where_allowed_and_the_answer_has_the_pair_in_force(begun):
    its = begun(allow_rewire=True)
    for wanted in (Wiring(3, 1), Wiring(1, 0)):
        its.road.say(WriteConfig(wiring=wanted, uid="7"))
    its.run(1)
    assert its.cloud.said(Written) == [Written(LOGIN.hostid, "7", wiring=Wiring(3, 1))] * 2
    assert its.genset.wiring == Wiring(3, 1)


def test_port_and_baud_rate_stay_where_writing_is_not_allowed(begun):
    its = begun(evolve(ANSWER, wiring=Wiring(3, 2)), allow_write=True)
    its.road.say(WriteConfig(wiring=Wiring(3, 1), uid="7"))
    its.run(1)
    assert its.cloud.said(Written) == [Written(LOGIN.hostid, "7", wiring=Wiring(2, 0))]


def test_a_disabled_port_is_not_read_and_not_written(begun):
    its = begun(allow_write=True, allow_rewire=True)
    its.road.say(WriteConfig(wiring=Wiring(0, 0)))
    its.run(4)
    asked = len(its.genset.asked)
    its.road.say(WriteConfig(AUTO))
    its.run(10)
    assert len(its.genset.asked) == asked
    assert [each.is_done for each in its.cloud.said(Written)[1:]] == [False]


@pytest.mark.parametrize("seconds", [0, 0.25, 1.0, 10.0])
def test_it_ends_at_any_time_and_more_than_once(clock, seconds):
    its = scene(clock)
    its.session.end()
    its.session.begin()
    its.run(seconds)
    its.session.end()
    its.session.end()
    assert its.cloud.roads == []
    assert its.standing[-1] == "Stopped"
    clock.advance(0.05)


def test_it_ends_while_it_waits(begun):
    its = begun()
    its.cloud.away.add(LIVE)
    its.road.loseConnection()
    its.run(1)
    its.session.end()
    its.cloud.heard.clear()
    its.run(120)
    assert its.cloud.heard == []


def test_a_hostile_server_is_left_and_nothing_was_written(begun):
    its = begun(allow_write=False)
    its.road.say(WriteConfig(AUTO).written() * 60)
    its.run(1)
    assert its.standing[-1] == "Waiting: the server says too much"
    assert its.genset.writes == []
    its.run(5)
    assert its.standing[-1] == "Online"


HEX = st.sampled_from(
    [AUTO, "01050003FF007C3A", bytes(ONCE).hex(), bytes(Frame(9, bytes.fromhex("050003FF00"))).hex(), "00"]
)
ORDERS = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.builds(lambda command: WriteConfig(command).written(), HEX),
        st.builds(lambda pdu: WriteConfig(bytes(Frame(0, pdu)).hex()).written(), st.binary(min_size=1, max_size=9)),
        st.sampled_from(
            [Reset().written(), ANSWER.written(), b'{"method":"LongCon","retcode":"000000"}', b'{"method":']
        ),
    ),
    max_size=15,
)


@settings(max_examples=100, deadline=None)
@given(ORDERS, st.booleans())
def test_whatever_a_server_says_only_allowed_functions_reach_our_controller_and_only_when_allowed(orders, allow_write):
    its = scene(Clock(), unit=7, allow_write=allow_write)
    its.session.begin()
    its.run(1)
    for order in orders:
        for road in tuple(its.cloud.roads):
            road.say(order)
        its.run(0.25)
    its.run(5)
    assert {each.unit for each in its.genset.asked} == {7}
    assert {each.function for each in its.genset.asked} <= {1, 2, 3, 4, 5, 6, 15, 16}
    assert allow_write or its.genset.writes == []
    its.run(300)
    assert its.standing[-1].startswith("Online")
    its.session.end()
    its.run(5)
    assert not its.clock.getDelayedCalls()
