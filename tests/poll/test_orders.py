"""concentrator.poll.orders: who may command, one at a time, sent once, believed when it is seen."""

import struct

import pytest
from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from concentrator.dialect.mbus import MbusDialect
from concentrator.dialect.modbus import dialects
from concentrator.model.device import Device
from concentrator.model.errors import (
    Busy,
    Denied,
    LineLost,
    NoReply,
    NotConfirmed,
    NotWritable,
    OutOfRange,
    Refused,
    TooOften,
    Unknown,
)
from concentrator.model.genset import Mode
from concentrator.poll.controller import RETRY_S, TRIES, Road
from concentrator.poll.orders import (
    ACCEPTED,
    CALLERS_MOST,
    CONFIRM_S,
    CONFIRMED,
    ORDERS,
    OTHER_WORD_S,
    PAUSE_S,
    RAW_S,
    Orders,
)
from concentrator.profile.mbus import GENERIC
from concentrator.wire.modbus import rtu_frame
from tests.support.lines import close_line, open_line
from tests.support.outcomes import failed
from tests.support.profiles import load, variable
from tests.support.records import FixedWall

results = SynchronousTestCase()
NOON = 1_795_000_000.0
UNIT = 7
ON, OFF = 0xFF00, 0
STOP, AUTO, MANUAL = 0, 1, 2

VARIABLES = (
    variable("control_mode", address=0, unit="", kind="mode"),
    variable("engine_state", address=1, unit="", enum="engine"),
    variable("common_shutdown", address=2, unit=""),
    variable("gen_on_load", address=3, unit=""),
    variable("gen_v1", address=100),
)
STATUS = {
    "running": "engine_state 5..9",
    "gen_on_load": "gen_on_load 1",
    "engine": "engine_state",
    "mode": {"stop": f"control_mode {STOP}", "auto": f"control_mode {AUTO}", "manual": f"control_mode {MANUAL}"},
    "alarm": {"shutdown": "common_shutdown 1"},
}
COMMANDS = [
    {"name": "start", "function": "coil", "address": 0, "value": ON},
    {"name": "stop", "function": "coil", "address": 1, "value": ON},
    {"name": "auto", "function": "coil", "address": 3, "value": ON},
    {"name": "mute", "function": "coil", "address": 12, "value": ON},
    {"name": "reset", "function": "coil", "address": 17, "value": ON},
    {"name": "manual", "function": "coil", "address": 4, "value": ON, "pulse_ms": 600},
    {"name": "lock", "function": "holding", "address": 4104, "value": [35736, 29799], "support_register": 4096,
     "support_bit": 3},
    {"name": "gen_breaker_close", "function": "holding", "address": 4207, "value": [0x11EF, 0, 2],
     "result_address": 4207},
    {"name": "test", "function": "holding", "address": 4207, "value": [0x01FE, 0, 1], "result_address": 4207,
     "result_ok": 0x1FF, "leads_to": ["running"]},
]  # fmt: skip
ENGINE = {"0": "standby", "3": "crank", "9": "normal running"}


def profile(**said):
    known = {"type": "genset", "commands_verified": True, "settle_ms": 500, **said}
    return load(*VARIABLES, profile=known, enum={"engine": ENGINE}, status=STATUS, command=COMMANDS)


PROFILE = profile()
GENSET = Device("g1", "rs485", "acme/m1", UNIT, allow_commands=True, allow_raw=True)


class Scene:
    """Orders to a controller of the test's making. `acts(kind, address, words)` is what it does when something is
    written to it; `spoil` what becomes of its next replies to a function: an exception code, "silent" (it acts and says
    nothing), "deaf" (neither), "damaged", or None."""

    def __init__(self, made=PROFILE):
        self.line, self.wire, self.clock = open_line()
        self.registers = dict.fromkeys(range(8000), 0)
        self.registers[0], self.registers[4096] = MANUAL, 0xFFFF
        self.spoil, self.readings, self.events = {}, [], []
        self.suspended, self.conflict, self.reason = "", "", ""
        self.written = []
        self.acts = self.follow
        self.station = dialects()["modbus-rtu"].station(made, UNIT, {})
        self.orders = Orders(FixedWall(NOON), self.readings.append, self.report, inhibited=lambda: self.reason)

    def report(self, name, facts):
        self.events.append((name, dict(facts)))

    def road(self, device=GENSET, station=None):
        return Road(device, station or self.station, self.line, lambda: self.suspended, lambda: self.conflict)

    def command(self, name, device=GENSET, by="anna"):
        return self.orders.command(self.road(device), name, by)

    def raw(self, body, device=GENSET, by="a server", unit=UNIT):
        return self.orders.raw(self.road(device), rtu_frame(unit, bytes.fromhex(body)), by)

    def follow(self, address, words):
        """What a controller does at once."""
        modes = {1: STOP, 3: AUTO, 4: MANUAL}
        if address in modes and words == [ON]:
            self.registers[0] = modes[address]
        elif address == 0 and words == [ON]:
            self.registers[1] = 3
        elif address == 4207:
            self.registers[1] = 9
            self.registers[3] = 1
            self.registers.update({4207: 0, 4208: 0x1FF})

    def run(self, seconds=15.0):
        self.wire.attend(self.reply, seconds, slice_s=0.02)

    def reply(self, request):
        unit, function = request[:2]
        assert unit == UNIT
        fates = self.spoil.get(function, [])
        fate = fates.pop(0) if fates else None
        if fate == "deaf":
            return b""
        if isinstance(fate, int):
            return rtu_frame(unit, bytes((function | 0x80, fate)))
        address, word = struct.unpack(">HH", request[2:6])
        if function == 3:
            content = b"".join(self.registers[address + n].to_bytes(2, "big") for n in range(word))
            reply = rtu_frame(unit, bytes((3, len(content))) + content)
        elif function == 16:
            self.write(address, list(struct.unpack(f">{word}H", request[7:-2])))
            reply = rtu_frame(unit, request[1:6])
        else:
            self.write(address, [word])
            reply = request
        return b"" if fate == "silent" else reply[:-1] + b"\0" if fate == "damaged" else reply

    def write(self, address, words):
        self.written.append((round(self.clock.seconds(), 1), address, words))
        self.registers.update({address + n: word for n, word in enumerate(words) if address > 4000})
        self.acts(address, words)

    @property
    def sent(self):
        """What was written: address and words."""
        return [(address, words) for _, address, words in self.written]


@pytest.fixture
def scene():
    scene = Scene()
    yield scene
    close_line(scene.line, scene.clock)


def ignore(address, words):
    """A controller that acknowledges and does nothing."""


# -- who may


@pytest.mark.parametrize(
    ("made", "device", "said"),
    [
        (PROFILE, evolve(GENSET, allow_commands=False), "allow_commands of g1 is false"),
        (profile(commands_verified=False), GENSET, "the commands of acme/m1 are not verified, and allow_unverified"),
        (profile(verified_models=["M2"]), GENSET, "verified for M2 only, and it is not said which model it is"),
        (
            profile(verified_models=["M2"]),
            evolve(GENSET, model="M1"),
            "verified for M2 only, and its model is M1, and allow_unverified of g1 is false",
        ),
    ],
)
def test_a_command_is_denied_unless_it_is_allowed_and_verified(made, device, said):
    scene = Scene(made)
    asked = scene.command("auto", device)
    scene.run(0.5)
    assert said in failed(asked, Denied)
    assert scene.wire.sent == []
    assert [(facts["outcome"], facts["by"]) for _, facts in scene.events] == [("denied", "anna")]
    close_line(scene.line, scene.clock)


@pytest.mark.parametrize(
    ("made", "device"),
    [
        (profile(commands_verified=False), evolve(GENSET, allow_unverified=True)),
        (profile(verified_models=["M2"]), evolve(GENSET, allow_unverified=True)),
        (profile(verified_models=["M2"]), evolve(GENSET, model="m2")),
        (profile(verified_models=["M1"]), GENSET),
    ],
)
def test_whoever_wants_may_command_what_nobody_has_verified_and_a_verified_model_needs_no_such_will(made, device):
    scene = Scene(made)
    asked = scene.command("auto", device)
    scene.run()
    assert results.successResultOf(asked).outcome == CONFIRMED
    close_line(scene.line, scene.clock)


def test_the_input_that_inhibits_blocks_commands_and_writes_of_others_but_no_reads(scene):
    scene.reason = "input 2 inhibits remote control"
    asked, raw, reading = scene.command("auto"), scene.raw("05 00 03 FF 00"), scene.raw("03 00 00 00 01")
    scene.run()
    assert failed(asked, Denied) == failed(raw, Denied) == scene.reason
    assert results.successResultOf(reading).reply == bytes.fromhex("03 02 00 02")
    assert scene.written == []


def test_an_input_that_becomes_active_meanwhile_blocks_too(scene):
    scene.command("auto")
    scene.run(1.0)
    asked = scene.command("stop")
    scene.run(PAUSE_S - 1.5)
    scene.reason = "input 1 inhibits remote control"
    scene.run()
    failed(asked, Denied)
    assert scene.sent == [(3, [ON])]


def test_an_unknown_command_is_said_to_be_with_the_nearest(scene):
    asked = scene.command("atuo")
    assert failed(asked, Unknown) == "command atuo of g1 (did you mean auto?)"


def test_a_line_that_is_not_to_be_used_and_another_device_there_leave_the_order_unsent(scene):
    scene.suspended = "link mode"
    assert failed(scene.command("auto"), Busy) == "line native: link mode"
    assert failed(scene.raw("03 00 00 00 01"), Busy) == "line native: link mode"
    scene.suspended, scene.conflict = "", "another device answers there"
    assert failed(scene.command("auto"), NotWritable) == "g1: another device answers there"
    scene.run(0.5)
    assert scene.wire.sent == []


def test_what_speaks_no_modbus_takes_no_orders(scene):
    station = MbusDialect().station(GENERIC, 5, {})
    asked = scene.orders.raw(scene.road(station=station), rtu_frame(UNIT, bytes.fromhex("05 00 03 FF 00")), "a server")
    assert failed(asked, NotWritable) == "g1 takes no Modbus requests"


# -- one at a time


def test_an_order_is_not_taken_while_another_is_on_its_way(scene):
    scene.acts = ignore
    first = scene.command("auto")
    scene.run(1.0)
    assert failed(scene.command("stop"), Busy) == "g1: auto is on its way"
    assert failed(scene.raw("05 00 01 FF 00"), Busy) == "g1: auto is on its way"
    scene.run()
    failed(first, NotConfirmed)
    assert scene.sent == [(3, [ON])]


def test_other_controllers_are_commanded_meanwhile(scene):
    scene.acts = ignore
    scene.command("auto")
    other = scene.orders.command(scene.road(evolve(GENSET, uid="g2")), "mute", "anna")
    scene.run()
    assert results.successResultOf(other).outcome == ACCEPTED


def test_a_controller_has_two_seconds_rest_after_an_order(scene):
    scene.command("auto")
    scene.run(1.0)
    over_at = scene.clock.seconds()
    assert len(scene.events) == 1
    scene.command("stop")
    scene.run()
    (first, *_), (second, *_) = scene.written
    assert PAUSE_S <= second - first < over_at - first + PAUSE_S + 0.5
    assert [facts["outcome"] for _, facts in scene.events] == [CONFIRMED, CONFIRMED]


def test_so_many_orders_at_once_and_no_more(scene):
    denied = evolve(GENSET, allow_commands=False)
    for _ in range(ORDERS):
        failed(scene.command("auto", denied), Denied)
    assert "orders to g1 a second; the next in" in failed(scene.command("auto", denied), TooOften)
    assert len(scene.events) == ORDERS


def test_callers_without_number_are_not_remembered_for_ever(scene):
    denied = evolve(GENSET, allow_commands=False)
    for number in range(CALLERS_MOST + 1):
        failed(scene.command("auto", denied, by=f"caller {number}"), Denied)
    for _ in range(ORDERS):
        failed(scene.command("auto", denied, by="caller 0"), Denied)
    failed(scene.command("auto", denied, by="caller 0"), TooOften)
    assert len(scene.orders._callers) == CALLERS_MOST


def test_who_orders_too_much_takes_nothing_from_others(scene):
    for _ in range(ORDERS + 5):
        scene.raw("05 00 03 FF 00", evolve(GENSET, allow_raw=False)).addErrback(lambda _: None)
    asked = scene.command("stop")
    scene.run()
    assert results.successResultOf(asked).outcome == CONFIRMED


# -- sent once, seen, told


def test_a_command_is_sent_once_seen_and_told_with_who_gave_it(scene):
    asked = scene.command("auto", by="sms …666")
    scene.run()
    carried = results.successResultOf(asked)
    assert (carried.outcome, carried.status.mode) == (CONFIRMED, Mode.AUTO)
    assert scene.sent == [(3, [ON])]
    assert scene.readings[-1].values["control_mode"] == AUTO
    facts = {"device": "g1", "command": "auto", "by": "sms …666", "outcome": CONFIRMED}
    assert scene.events == [("genset.command", {**facts, "text": "g1: auto, ordered by sms …666, is confirmed"})]


def test_an_engine_that_begins_to_move_is_enough_for_a_start(scene):
    asked = scene.command("start")
    scene.run()
    assert results.successResultOf(asked).status.engine == "crank"


@pytest.mark.parametrize("fate", ["silent", "damaged", 5, 11])
def test_a_command_whose_answer_is_lost_is_not_repeated_but_looked_for(scene, fate):
    scene.spoil[5] = [fate]
    if isinstance(fate, int):
        scene.registers[0] = AUTO
    asked = scene.command("auto")
    scene.run()
    assert results.successResultOf(asked).outcome == CONFIRMED
    assert len(scene.sent) == (0 if isinstance(fate, int) else 1)


def test_a_controller_that_does_not_follow_is_said_not_to_and_how_it_is(scene):
    scene.acts = ignore
    asked = scene.command("auto")
    scene.run(CONFIRM_S - 1.0)
    results.assertNoResult(asked)
    scene.run(3.0)
    assert failed(asked, NotConfirmed) == "auto was sent, but the controller shows mode manual, engine standby"
    assert scene.sent == [(3, [ON])]
    assert scene.events[-1][1]["outcome"] == "not_confirmed"


def test_a_command_that_nobody_answers_and_nothing_shows_is_in_doubt(scene):
    scene.spoil[5] = ["silent"]
    asked = scene.command("mute")
    scene.run()
    assert "mute was sent, and whether it was carried out is not known (The device did not" in failed(
        asked, NotConfirmed
    )


def test_what_nothing_shows_is_accepted_by_its_answer(scene):
    asked = scene.command("mute")
    scene.run()
    assert results.successResultOf(asked).outcome == ACCEPTED


def test_a_refusal_is_told_in_the_controllers_words(scene):
    scene.spoil[5] = [3]
    asked = scene.command("auto")
    scene.run()
    assert failed(asked, Refused) == "auto: exception 3, illegal data value"
    assert scene.written == []


def test_a_controller_that_does_not_answer_gets_no_command(scene):
    scene.spoil[3] = ["deaf"] * 4
    asked = scene.command("auto")
    scene.run()
    failed(asked, NoReply)
    assert scene.written == []


def test_a_line_that_is_lost_is_said_to_be(scene):
    scene.wire.lose()
    failed(scene.command("auto"), LineLost)


def test_a_status_that_cannot_be_read_afterwards_leaves_the_order_in_doubt(scene):
    scene.acts = lambda address, words: scene.spoil.update({3: ["deaf"] * 99})
    asked = scene.command("auto")
    scene.run()
    assert "it was sent, but the status cannot be read" in failed(asked, NotConfirmed)


def test_the_reset_of_an_alarm_that_stays_is_not_confirmed(scene):
    scene.registers[2] = 1
    asked = scene.command("reset")
    scene.run()
    assert failed(asked, NotConfirmed).endswith("shows mode manual, engine standby, alarm shutdown")


# -- each maker's way


def test_a_pulse_is_off_on_and_after_its_time_off(scene):
    scene.registers[0] = AUTO
    asked = scene.command("manual")
    scene.run()
    assert results.successResultOf(asked).status.mode is Mode.MANUAL
    (_, *first), (at, *second), (later, *third) = scene.written
    assert [first, second, third] == [[4, [OFF]], [4, [ON]], [4, [OFF]]]
    assert 0.6 <= later - at < 0.9


def test_the_end_of_a_pulse_is_tried_again_and_a_coil_that_may_be_on_is_said_to_be(scene):
    scene.spoil[5] = [None, None, "deaf", None]
    asked = scene.command("manual")
    scene.run()
    assert results.successResultOf(asked).outcome == CONFIRMED
    assert scene.sent[-1] == (4, [OFF])
    scene.spoil[5] = [None, None, *["deaf"] * TRIES]
    asked = scene.command("manual")
    scene.run(PAUSE_S + TRIES * (RETRY_S + 1.0) + 5.0)
    assert "manual was sent, and its coil 4 may still be on" in failed(asked, NotConfirmed)


def test_a_pulse_is_ended_too_where_whoever_ordered_it_has_gone(scene):
    asked = scene.command("manual")
    asked.addErrback(lambda _: None)
    scene.run(0.5)
    assert scene.sent[-1] == (4, [ON])
    asked.cancel()
    scene.run(3.0)
    assert scene.sent[-1] == (4, [OFF])


def test_a_pulse_is_ended_too_where_he_goes_before_the_on_is_answered(scene):
    scene.spoil[5] = [None, "silent"]
    asked = scene.command("manual")
    asked.addErrback(lambda _: None)
    scene.run(0.5)
    assert scene.sent == [(4, [OFF]), (4, [ON])]
    asked.cancel()
    scene.run(5.0)
    assert scene.sent == [(4, [OFF]), (4, [ON]), (4, [OFF])]


def test_the_end_of_a_pulse_is_not_for_another_device_either(scene):
    scene.conflict = "another device answers"
    assert "another device" in failed(scene.raw("05 00 04 00 00"), NotWritable)
    assert scene.sent == []


def test_somebody_may_end_his_own_pulse_at_once(scene):
    scene.acts = ignore
    begun = scene.raw("05 00 04 FF 00")
    scene.run(1.0)
    scene.reason = "input 1 inhibits remote control"
    ended = scene.raw("05 00 04 00 00")
    scene.run(0.5)
    assert results.successResultOf(ended).reply == bytes.fromhex("05 00 04 00 00")
    assert scene.sent == [(4, [ON]), (4, [OFF])]
    scene.run()
    assert results.successResultOf(begun).outcome == CONFIRMED  # it was in that mode before
    failed(scene.raw("05 00 04 00 00", evolve(GENSET, allow_raw=False)), Denied)


def test_a_key_goes_only_to_a_controller_that_says_it_knows_it(scene):
    asked = scene.command("lock")
    scene.run()
    assert results.successResultOf(asked).outcome == ACCEPTED
    assert scene.sent == [(4104, [35736, 29799])]
    scene.registers[4096] = 0xFFFF & ~(1 << 3)
    asked = scene.command("lock")
    scene.run()
    assert failed(asked, NotWritable) == "lock: g1 says that it does not know this command"
    assert len(scene.sent) == 1


def test_a_transaction_is_one_write_and_its_result(scene):
    asked = scene.command("test")
    scene.run()
    assert results.successResultOf(asked).outcome == CONFIRMED
    assert scene.sent == [(4207, [0x01FE, 0, 1])]


@pytest.mark.parametrize(
    ("found", "said"), [(1, "test: result 1, the argument is invalid"), (2, "test: result 2, the command was refused")]
)
def test_a_result_that_is_a_refusal_is_one(scene, found, said):
    scene.acts = lambda address, words: scene.registers.update({4207: 0, 4208: found})
    asked = scene.command("test")
    scene.run()
    assert failed(asked, Refused) == said


def test_a_result_that_is_right_is_believed_where_the_machine_needs_longer(scene):
    scene.acts = lambda address, words: scene.registers.update({4207: 0, 4208: 0x1FF})
    asked = scene.command("test")
    scene.run()
    assert results.successResultOf(asked).outcome == ACCEPTED


def test_a_result_that_never_comes_leaves_the_order_in_doubt(scene):
    scene.acts = ignore
    asked = scene.command("test")
    scene.run()
    said = failed(asked, NotConfirmed)
    assert said.startswith("test was sent, but the controller shows mode manual, engine standby")
    assert said.endswith("the controller's result is 01FE0000)")


def test_another_word_for_on_is_tried_only_where_the_mode_did_not_follow():
    scene = Scene(profile(coil_on_value=ON, coil_on_value_fallback=0xFFFF))
    asked = scene.command("auto")
    scene.run()
    assert results.successResultOf(asked).outcome == CONFIRMED
    assert scene.sent == [(3, [ON])]
    scene.acts = lambda address, words: words == [0xFFFF] and scene.follow(address, [ON])
    asked = scene.command("stop")
    scene.run()
    assert results.successResultOf(asked).status.mode is Mode.STOP
    assert scene.sent[1:] == [(1, [ON]), (1, [0xFFFF])]
    (_, *_), (first, *_), (second, *_) = scene.written
    assert OTHER_WORD_S <= second - first < OTHER_WORD_S + 2.0
    close_line(scene.line, scene.clock)


def test_a_controller_that_is_silent_to_the_first_word_gets_the_other():
    scene = Scene(profile(coil_on_value_fallback=0xFFFF))
    scene.spoil[5] = ["deaf"]
    scene.acts = lambda address, words: scene.follow(address, [ON])
    asked = scene.command("auto")
    scene.run()
    assert results.successResultOf(asked).outcome == CONFIRMED
    assert scene.sent == [(3, [0xFFFF])]
    close_line(scene.line, scene.clock)


def test_another_word_is_not_tried_where_nothing_shows_whether_the_first_was_heard():
    scene = Scene(profile(coil_on_value_fallback=0xFFFF))
    asked = scene.command("mute")
    scene.run()
    assert results.successResultOf(asked).outcome == ACCEPTED
    assert scene.sent == [(12, [ON])]
    close_line(scene.line, scene.clock)


# -- requests of others


@pytest.mark.parametrize("unit", [0, 1, UNIT])
def test_somebodys_request_goes_to_the_controllers_own_unit_and_its_reply_comes_back(scene, unit):
    asked = scene.raw("03 00 00 00 02", unit=unit)
    scene.run()
    carried = results.successResultOf(asked)
    assert (carried.reply, carried.is_write) == (bytes.fromhex("03 04 00 02 00 00"), False)
    assert [request[0] for _, request in scene.wire.sent] == [UNIT]
    assert scene.events == []


def test_a_request_for_others_of_another_function_or_badly_made_is_not_sent(scene):
    failed(scene.raw("03 00 00 00 02", unit=3), Denied)
    failed(scene.raw("08 00 00 00 00"), Denied)
    failed(scene.raw("03 00 00 00 00"), OutOfRange)
    failed(scene.orders.raw(scene.road(), b"\x07\x03\x00\x00\x00\x01\x00\x00", "a server"), OutOfRange)
    scene.run()
    assert scene.wire.sent == []


def test_a_write_of_somebody_needs_leave(scene):
    asked = scene.raw("06 00 05 00 01", evolve(GENSET, allow_raw=False))
    scene.run()
    assert failed(asked, Denied) == "allow_raw of g1 is false"
    assert scene.wire.sent == []
    assert scene.events[0][1]["command"] == "modbus 06 00 05 00 01"


def test_a_write_needs_no_leave_to_command_by_name(scene):
    asked = scene.raw("06 00 05 00 01", evolve(GENSET, allow_commands=False))
    scene.run()
    assert results.successResultOf(asked).reply == bytes.fromhex("06 00 05 00 01")
    assert [facts["outcome"] for _, facts in scene.events] == [ACCEPTED]


@pytest.mark.parametrize("fate", ["deaf", "damaged"])
def test_a_read_of_somebody_is_tried_once_more_after_three_seconds(scene, fate):
    scene.spoil[3] = [fate]
    asked = scene.raw("03 00 00 00 01")
    scene.run()
    assert results.successResultOf(asked).reply == bytes.fromhex("03 02 00 02")
    (first, _), (second, _) = scene.wire.sent
    assert second - first < RAW_S + 3.5
    assert fate != "deaf" or second - first >= RAW_S


def test_a_read_that_stays_unanswered_fails(scene):
    scene.spoil[3] = ["deaf"] * 3
    asked = scene.raw("03 00 00 00 01")
    scene.run()
    failed(asked, NoReply)
    assert len(scene.wire.sent) == 2


def test_an_exception_is_an_answer(scene):
    scene.spoil[3] = [2]
    asked = scene.raw("03 00 00 00 01")
    scene.run()
    assert results.failureResultOf(asked, Refused).value.code == 2
    assert len(scene.wire.sent) == 1


def test_a_write_of_somebody_is_never_repeated(scene):
    scene.spoil[6] = ["silent"]
    asked = scene.raw("06 00 05 00 01")
    scene.run()
    assert "modbus 06 00 05 00 01 was sent, and whether it was carried out is not known" in failed(asked, NotConfirmed)
    assert scene.sent == [(5, [1])]


def test_a_request_that_is_a_command_of_the_profile_is_named_and_confirmed_like_it(scene):
    asked = scene.raw("05 00 03 FF 00", unit=0)
    scene.run()
    carried = results.successResultOf(asked)
    assert (carried.outcome, carried.reply) == (CONFIRMED, bytes.fromhex("05 00 03 FF 00"))
    assert (scene.events[0][1]["command"], scene.events[0][1]["by"]) == ("auto", "a server")
    scene.acts = ignore
    asked = scene.raw("05 00 01 FF 00")
    scene.run()
    assert failed(asked, NotConfirmed) == "stop was sent, but the controller shows mode auto, engine standby"


def test_an_order_that_is_given_up_frees_its_controller(scene):
    scene.acts = ignore
    asked = scene.command("auto")
    scene.run(3.0)
    asked.cancel()
    failure = results.failureResultOf(asked)
    assert scene.events[-1][1]["text"].startswith("g1: auto, ordered by anna")
    assert failure is not None
    scene.run(PAUSE_S)
    scene.acts = scene.follow
    again = scene.command("auto")
    scene.run()
    assert results.successResultOf(again).outcome == CONFIRMED


def test_somebody_who_reads_without_end_is_stopped(scene):
    for _ in range(20):
        scene.raw("03 00 00 00 01").addErrback(lambda _: None)
    assert "requests to g1 a second" in failed(scene.raw("03 00 00 00 01"), TooOften)
    scene.run()
