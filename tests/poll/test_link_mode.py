"""concentrator.poll.link_mode: the table of the specification's link mode, row by row, against simulated meters in
virtual time."""

import json
from itertools import pairwise

import pytest
from twisted.trial.unittest import SynchronousTestCase

from concentrator.dialect.modbus import ModbusDialect
from concentrator.model.device import Device
from concentrator.model.errors import Busy, ConfigError, Fault
from concentrator.poll.link_mode import ALONE_S
from concentrator.poll.link_news import COLLIDING
from concentrator.poll.poller import Poller
from tests.support.link_bus import CCM, LINK_ID, SETTINGS, Scene

results = SynchronousTestCase()
READ, WRITE, WRITE_MANY = 3, 6, 16
DRAW_AGAIN, LEAVE = bytes.fromhex("00060f180001"), bytes.fromhex("00060f190001")


@pytest.fixture
def scene():
    """Builds scenes, and sees that none leaves anything to come."""
    built = []

    def build(**options) -> Scene:
        built.append(Scene(**options))
        return built[-1]

    yield build
    for each in built:
        each.end()


class Wall:
    """The bus's own time, trusted."""

    def __init__(self, clock):
        self.now = clock.seconds

    def is_trusted(self):
        return True


def linking(scene: Scene) -> Scene:
    """A scene in link mode."""
    results.successResultOf(scene.mode.start())
    scene.run(1)
    return scene


def leave(scene: Scene) -> None:
    over = scene.mode.stop()
    scene.run(5)
    results.successResultOf(over)


def test_a_meter_whose_button_is_pressed_gets_the_first_free_id_and_reading_goes_on(scene):
    """The whole story, told to the neighbours in order; the one that was at ID 1 before keeps it."""
    stage = linking(scene())
    first, meter = stage.bus.meters[0], stage.new[0]
    assert (first.unit, meter.unit) == (1, 1)
    stage.link(meter)
    leave(stage)
    assert stage.told == [
        ("suspend", "devices are being linked"),
        ("link.started", None, None),
        ("linked", meter.serial, 2),
        ("link.assigned", meter.serial, 2),
        ("go on",),
        ("link.left", None, None),
    ]
    assert (first.unit, meter.unit) == (1, 2)
    assert stage.addresses.done() == {meter.serial: 2}


def test_the_steps_on_the_wire_are_those_of_the_specification_and_nothing_between(scene):
    stage = linking(scene())
    stage.press(stage.new[0])
    nonce = stage.new[0].link.nonce
    stage.bus.frames.clear()
    stage.run_until(stage.found)
    leave(stage)
    kinds = [(frame[0], frame[1], frame[2:4].hex()) for frame in stage.bus.frames]
    start = kinds.index((2, READ, "0002"))
    assert kinds[start - 1 : start + 6] == [
        (LINK_ID, READ, "0f00"),
        (2, READ, "0002"),  # is ID 2 free?
        (2, READ, "0002"),
        (LINK_ID, WRITE_MANY, "0f10"),
        (2, READ, "0002"),  # is it this meter?
        (2, WRITE, "0f17"),
        (2, READ, "0002"),  # still?
    ]
    assert set(kinds[start + 6 : -1]) <= {(LINK_ID, READ, "0f00")}
    assert stage.bus.frames[-1].startswith(LEAVE)
    assert stage.bus.asked(2, WRITE)[0][4:6] == nonce.to_bytes(2, "big")
    assert all(not exchange.is_early for exchange in stage.bus.exchanges)


def test_polling_stands_aside_for_as_long_as_link_mode_is_on(scene):
    """With a real poller: what it had begun is finished, nothing of it comes between, and it reads on."""
    stage = scene(linked=3, unlinked=1)
    readings = []
    poller = Poller(stage.line, stage.clock, Wall(stage.clock), readings.append, stage.report, lambda *_: "")
    for unit in stage.devices:
        station = ModbusDialect("modbus-rtu").station(CCM, unit, {"settings": SETTINGS})
        poller.add(Device(f"d{unit}", "native", CCM.key, unit), station)
    stage.mode.suspend, stage.mode.go_on = poller.suspend, poller.go_on
    stage.new[0].move(9)
    poller.start()
    stage.run(10)
    stage.run_until(lambda: stage.bus.bus.wake_at() is not None)
    entered, began = stage.mode.start(), len(stage.bus.frames)
    stage.run(1)
    results.successResultOf(entered)
    assert {reading.uid for reading in readings if reading.quality == "suspended"} == {"d1", "d2", "d3"}
    stage.link(stage.new[0])
    over = stage.mode.stop()
    stage.run_until(lambda: over.called)
    stage.run(0.05)  # as long as the last word takes on the wire
    asked = {frame[0] for frame in stage.bus.frames[began + 1 :]}
    assert asked == {LINK_ID, 4, 0}
    readings.clear()
    stage.run(10)
    assert {reading.uid for reading in readings if reading.quality == "good"} == {"d1", "d2", "d3"}
    poller.stop()
    stage.run(1)


def test_the_bus_is_asked_four_times_a_second(scene):
    stage = linking(scene())
    stage.bus.exchanges.clear()
    stage.run(5)
    began = [exchange.began for exchange in stage.bus.exchanges]
    assert all(late - early == pytest.approx(0.25, abs=0.01) for early, late in pairwise(began))
    assert {exchange.unit for exchange in stage.bus.exchanges} == {LINK_ID}


def test_meters_get_their_ids_in_the_order_of_their_buttons(scene):
    stage = linking(scene(unlinked=5))
    stage.link(*stage.new)
    assert [meter.unit for meter in stage.new] == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("count", [2, 8])
def test_buttons_pressed_at_once_are_told_apart_in_their_slots(scene, count):
    stage = linking(scene(unlinked=count))
    stage.press(*stage.new)
    stage.run_until(lambda: stage.mode.status().state == "collision")
    assert stage.mode.status().text == COLLIDING == "two devices answer, press one button at a time"
    stage.run_until(lambda: len(stage.found()) == count)
    stage.run(5)
    assert sorted(meter.unit for meter in stage.new) == list(range(2, count + 2))
    assert [name for name, *_ in stage.events()].count("link.collision") == 1
    stage.assert_every_id_is_one_meters()


def test_meters_in_one_slot_draw_again(scene):
    stage = linking(scene())
    stage.press(*stage.new)
    stage.new[0].link.nonce, stage.new[1].link.nonce = 0x1233, 0x4563
    stage.run_until(lambda: len(stage.found()) == 2)
    assert [frame for frame in stage.bus.frames if frame.startswith(DRAW_AGAIN)]
    stage.assert_every_id_is_one_meters()


def test_the_search_for_meters_that_never_part_ends_after_eight_rounds(scene):
    stage = linking(scene())
    stage.press(*stage.new)

    def share_a_slot(_: bytes) -> None:
        stage.new[0].link.nonce, stage.new[1].link.nonce = 0x1233, 0x4563

    stage.bus.before = share_a_slot
    stage.run(50)
    assert len([frame for frame in stage.bus.frames if frame.startswith(DRAW_AGAIN)]) == 8
    assert stage.mode.status().state == "looking"
    stage.run(20)
    assert [name for name, *_ in stage.events()] == ["link.started", "link.collision"]


def test_where_one_of_two_answers_survives_both_get_their_ids_one_after_the_other(scene):
    stage = linking(scene(capture=1.0))
    stage.press(*stage.new)
    stage.run_until(lambda: len(stage.found()) == 2)
    assert [name for name, *_ in stage.events()] == ["link.started", "link.assigned", "link.assigned"]
    stage.assert_every_id_is_one_meters()


def test_a_meter_of_this_site_gets_its_old_id_again(scene):
    stage = linking(scene())
    stage.link(*stage.new)
    leave(stage)
    kept = stage.kept
    linking(stage)
    stage.link(stage.new[1])
    assert stage.found() == {stage.new[1].serial: 3}
    old, new = ({serial: entry["unit"] for serial, entry in json.loads(text).items()} for text in (kept, stage.kept))
    assert old == new


def test_a_meter_configured_by_hand_gets_the_id_it_is_configured_with(scene):
    stage = scene(linked=3)
    meter = stage.bus.meters[2]
    linking(stage).link(meter)
    assert stage.found() == {meter.serial: 3}


def test_the_meter_that_powers_the_concentrator_keeps_id_1(scene):
    stage = linking(scene(unlinked=0))
    first = stage.bus.meters[0]
    stage.link(first)
    assert (stage.found(), first.unit) == ({first.serial: 1}, 1)


def test_the_meter_that_powers_the_concentrator_keeps_id_1_beside_one_that_is_not_linked_yet(scene):
    stage = linking(scene(unlinked=1))
    first, new = stage.bus.meters
    stage.press(first)
    stage.run(70)
    assert stage.events()[1:] == [("bus.duplicate_id", None, 1), ("link.failed", first.serial, 1)]
    stage.link(new, first)
    assert (first.unit, new.unit) == (1, 2)


def test_a_newcomer_with_an_id_that_is_in_use_here_gets_another(scene):
    """Its button takes it off the ID at once; the rightful meter stays."""
    stage = scene(linked=3)
    stage.new[0].move(3)
    linking(stage).link(stage.new[0])
    assert (stage.bus.meters[2].unit, stage.new[0].unit) == (3, 4)
    stage.assert_every_id_is_one_meters()


def test_an_id_at_which_a_stranger_answers_is_passed_over_and_told(scene):
    stage = scene(linked=1, unlinked=2)
    stranger, meter = stage.new
    stranger.move(2)
    linking(stage).link(meter)
    assert meter.unit == 3
    assert ("bus.duplicate_id", None, 2) in stage.events()
    stage.assert_every_id_is_one_meters()


def test_an_id_at_which_two_strangers_answer_is_passed_over_and_told(scene):
    stage = scene(linked=1, unlinked=3)
    one, other, meter = stage.new
    one.move(2)
    other.move(2)
    linking(stage).link(meter)
    assert meter.unit == 3
    assert ("bus.duplicate_id", None, 2) in stage.events()


def test_one_meter_more_than_there_may_be_is_refused_and_told_once(scene):
    stage = linking(scene(unlinked=3, limit=2))
    stage.link(*stage.new[:2])
    late = stage.new[2]
    stage.press(late)
    stage.run(30)
    assert [event for event in stage.events() if event[0] == "link.limit"] == [("link.limit", late.serial, None)]
    assert "2 devices" in stage.mode.status().text
    assert late.unit == 1
    stage.run(40)
    stage.link(stage.new[0])
    assert stage.new[0].unit == 2


def test_deleting_a_meter_frees_its_id(scene):
    """A meter is replaced: the new one gets an ID of its own, the old one's is free only when it is deleted."""
    stage = linking(scene(unlinked=3))
    broken, new, another = stage.new
    stage.link(broken)
    broken.power(False, stage.clock.seconds())
    stage.link(new)
    assert new.unit == 3
    stage.mode.release(broken.serial)
    del stage.devices[2]
    stage.link(another)
    assert another.unit == 2


def test_a_meter_cannot_be_deleted_while_it_is_given_its_id(scene):
    stage = linking(scene())
    meter = stage.new[0]
    stage.press(meter)
    stage.run_until(lambda: stage.mode.status().state == "assigning")
    with pytest.raises(Busy):
        stage.mode.release(meter.serial)
    stage.run_until(stage.found)
    stage.mode.release(meter.serial)
    assert stage.addresses.done() == {}


@pytest.mark.parametrize("faults", [{"noise": 0.15}, {"crc": 0.15}, {"noise": 0.1, "crc": 0.1, "capture": 0.5}])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noise_costs_time_and_no_ids(scene, faults, seed):
    stage = linking(scene(unlinked=4, seed=seed, **faults))
    for meter in stage.new:
        while meter.serial not in stage.found():
            stage.press(meter)
            stage.run(30)
    stage.assert_every_id_is_one_meters()
    assert sorted(stage.found().values()) == sorted(meter.unit for meter in stage.new)


def test_one_damaged_answer_is_no_collision(scene):
    stage = linking(scene(crc=1.0))
    stage.press(stage.new[0])
    stage.run_until(lambda: len(stage.bus.exchanges) and stage.bus.exchanges[-1].status == "crc")
    stage.bus.bus.faults = type(stage.bus.bus.faults)()
    stage.run_until(stage.found)
    assert [name for name, *_ in stage.events()] == ["link.started", "link.assigned"]


# -- steps that fail


def writes(frame: bytes, function: int) -> bool:
    return frame[1] == function and frame[0] != 0


def test_an_assignment_that_nobody_takes_fails_after_three_tries_none_of_them_blind(scene):
    stage = linking(scene())
    meter = stage.new[0]
    stage.bus.is_deaf = lambda frame: writes(frame, WRITE_MANY)
    stage.press(meter)
    stage.run_until(lambda: any(name == "link.failed" for name, *_ in stage.events()))
    tries = [n for n, frame in enumerate(stage.bus.frames) if writes(frame, WRITE_MANY)]
    assert len(tries) == 3
    for early, late in pairwise(tries):
        between = [(frame[0], frame[1]) for frame in stage.bus.frames[early + 1 : late]]
        assert between == [(2, READ), (LINK_ID, READ)]
    assert stage.events()[-1] == ("link.failed", meter.serial, 2)
    stage.bus.is_deaf = lambda frame: False
    stage.run_until(stage.found)
    assert meter.unit == 2


def test_an_assignment_whose_answer_is_lost_is_not_written_again(scene):
    stage = linking(scene())
    stage.bus.is_mute = lambda frame: writes(frame, WRITE_MANY)
    stage.link(stage.new[0])
    assert len(stage.bus.asked(LINK_ID, WRITE_MANY)) == 1
    assert stage.new[0].unit == 2


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_stranger_that_turns_up_at_the_new_id_keeps_it_from_being_committed(scene, is_alone):
    """Nobody answered there before; the serial at the new ID decides, not the answer."""
    stage = linking(scene())
    meter, stranger = stage.new
    stranger.move(2)
    stranger.power(False, stage.clock.seconds())

    def turn_up(frame: bytes) -> None:
        if writes(frame, WRITE_MANY):
            stranger.power(True, stage.clock.seconds())
        if is_alone and frame[:2] == bytes((2, READ)):
            meter.power(not stranger.is_powered, stage.clock.seconds())

    stage.bus.before = turn_up
    stage.press(meter)
    stage.run_until(lambda: ("link.failed", meter.serial, 2) in stage.events())
    assert stage.bus.asked(2, WRITE) == []
    assert meter.unit == 1
    assert (("bus.duplicate_id", None, 2) in stage.events()) is is_alone


def test_a_meter_that_is_not_found_after_its_commit_is_not_taken_for_linked(scene):
    stage = linking(scene())
    meter = stage.new[0]
    at_step(stage, 7, lambda: meter.power(False, stage.clock.seconds()))
    stage.press(meter)
    stage.run_until(lambda: not meter.is_powered)
    stage.run(8)
    assert stage.found() == {}
    meter.power(True, stage.clock.seconds())
    stage.run_until(stage.found)
    assert stage.addresses.done() == {meter.serial: 2}


def test_a_meter_pressed_again_while_it_is_undecided_says_itself_which_id_it_kept(scene):
    stage = linking(scene())
    meter = stage.new[0]
    stage.bus.is_mute = lambda frame: writes(frame, WRITE)
    stage.press(meter)
    stage.run_until(lambda: stage.addresses.recover() and stage.mode.status().state == "looking")
    stage.bus.is_deaf = lambda frame: writes(frame, WRITE_MANY)
    stage.press(meter)
    stage.run_until(lambda: ("link.failed", meter.serial, 2) in stage.events())
    assert stage.devices[2] == meter.serial
    assert stage.addresses.done() == {meter.serial: meter.unit} == {meter.serial: 2}


def test_a_commit_whose_answer_is_lost_is_found_out(scene):
    """It was carried out, and nothing that was answered says so: the ID tells when a meter can only be there for
    good."""
    stage = linking(scene())
    stage.bus.is_mute = lambda frame: writes(frame, WRITE)
    stage.press(stage.new[0])
    stage.run_until(stage.found)
    assert stage.new[0].unit == 2
    stage.assert_every_id_is_one_meters()


def test_a_commit_that_nobody_takes_frees_the_id_when_the_meter_has_left_it(scene):
    stage = linking(scene())
    meter, other = stage.new
    stage.bus.is_deaf = lambda frame: writes(frame, WRITE)
    stage.press(meter)
    stage.run_until(lambda: stage.addresses.recover())
    meter_gone = stage.clock.seconds() + 5
    stage.run_until(lambda: stage.clock.seconds() > meter_gone)
    meter.power(False, stage.clock.seconds())
    stage.run_until(lambda: ("link.failed", meter.serial, 2) in stage.events())
    stage.bus.is_deaf = lambda frame: False
    stage.link(other)
    assert (meter.unit, other.unit) == (1, 2)


def test_a_known_meter_that_fails_keeps_the_id_it_had(scene):
    stage = linking(scene())
    meter = stage.new[0]
    stage.link(meter)
    stage.bus.is_deaf = lambda frame: writes(frame, WRITE_MANY)
    stage.press(meter)
    stage.run_until(lambda: ("link.failed", meter.serial, 2) in stage.events())
    assert stage.addresses.done() == {meter.serial: 2}


def test_a_meter_that_cannot_be_journalled_is_given_nothing(scene):
    stage = linking(scene())

    def full(_: str) -> None:
        raise OSError(28, "No space left on device")

    stage.keeping = full
    stage.press(stage.new[0])
    stage.run(10)
    assert stage.bus.asked(LINK_ID, WRITE_MANY) == []
    assert "No space left" in stage.mode.status().text
    stage.keeping = lambda when: None
    stage.run_until(stage.found)
    assert stage.new[0].unit == 2


def test_a_meter_that_cannot_be_configured_stays_pending_until_it_can(scene):
    stage = linking(scene())

    def refuse(_: str) -> None:
        raise ConfigError([Fault("config.toml", "device.d2", "", "a folder", "a file")])

    stage.adding = refuse
    stage.press(stage.new[0])
    stage.run(20)
    assert list(stage.addresses.recover()) == [stage.new[0].serial]
    stage.adding = lambda serial: None
    stage.run_until(stage.found)
    assert stage.addresses.done() == {stage.new[0].serial: 2}


# -- entering and leaving


def test_link_mode_is_not_entered_where_polling_cannot_stand_aside(scene):
    stage = scene()
    stage.is_busy = True
    results.failureResultOf(stage.mode.start(), Busy)
    stage.run(1)
    assert stage.told == [("suspend", "devices are being linked")]
    assert stage.bus.frames == []
    assert not stage.mode.is_on
    stage.is_busy = False
    linking(stage)


def test_link_mode_is_entered_once(scene):
    stage = linking(scene())
    results.failureResultOf(stage.mode.start(), Busy)


def test_link_mode_ends_by_itself_after_ten_minutes_without_a_device(scene):
    stage = linking(scene())
    stage.run(300)
    assert stage.mode.status().seconds_left == pytest.approx(ALONE_S - 301, abs=0.1)
    stage.link(stage.new[0])
    stage.run(ALONE_S - 10)
    assert stage.mode.is_on
    stage.run(15)
    assert stage.told[-2:] == [("go on",), ("link.left", None, None)]
    status = stage.mode.status()
    assert (status.is_on, status.state, status.text, status.seconds_left) == (False, "off", "", 0.0)
    assert status.code == "alone"


def test_leaving_finishes_the_meter_in_hand_and_then_tells_all_to_leave(scene):
    stage = linking(scene())
    stage.press(*stage.new)
    stage.run_until(lambda: stage.mode.status().state == "assigning")
    leave(stage)
    linked = [told for told in stage.told if told[0] == "linked"]
    assert len(linked) == 1
    assert stage.bus.frames[-1].startswith(LEAVE)
    assert [meter.listens(stage.clock.seconds()) for meter in stage.new if meter.serial != linked[0][1]] == [1]
    assert stage.told[-2:] == [("go on",), ("link.left", None, None)]


@pytest.mark.parametrize("state", ["looking", "collision", "assigning", "confirming"])
def test_link_mode_can_be_left_in_every_state(scene, state):
    stage = linking(scene())
    if state == "confirming":
        stage.bus.is_mute = lambda frame: writes(frame, WRITE)
        stage.press(stage.new[0])
    elif state == "assigning":
        stage.press(stage.new[0])
    elif state == "collision":
        stage.press(*stage.new)
    stage.run_until(lambda: stage.mode.status().state == state)
    over = stage.mode.stop()
    stage.run_until(lambda: not stage.mode.is_on, within=10)
    results.successResultOf(over)
    assert stage.told[-2:] == [("go on",), ("link.left", None, None)]


def test_leaving_what_is_off_is_nothing(scene):
    stage = scene()
    results.successResultOf(stage.mode.stop())
    assert stage.told == []


def test_reading_goes_on_even_when_the_line_is_gone_or_a_conversation_broke(scene):
    stage = linking(scene())
    stage.mode.protocol.leave = broken
    leave(stage)
    assert stage.told[-2:] == [("go on",), ("link.left", None, None)]
    linking(stage)
    stage.bus.unplug()
    leave(stage)
    assert stage.told[-2:] == [("go on",), ("link.left", None, None)]
    stage.bus.plug()
    stage.run(5)


def broken():
    """A conversation with a fault of its own."""
    yield from ()
    raise ZeroDivisionError("a protocol's own fault")


# -- what was lost in the middle


def test_a_lost_line_is_waited_for(scene):
    stage = linking(scene())
    stage.bus.unplug()
    stage.run(20)
    assert "native" in stage.mode.status().text
    stage.bus.plug()
    stage.run(5)
    stage.link(stage.new[0])
    assert [name for name, *_ in stage.told] == ["suspend", "link.started", "linked", "link.assigned"]


@pytest.mark.parametrize("step", range(1, 8))
def test_a_line_lost_at_any_step_loses_no_meter_and_gives_no_id_twice(scene, step):
    stage = linking(scene())
    meter, other = stage.new
    at_step(stage, step, stage.bus.unplug)
    stage.press(meter)
    stage.run_until(lambda: not stage.bus.is_plugged)
    stage.run(2)
    stage.bus.plug()
    stage.run_until(stage.found)
    stage.link(other)
    assert sorted((meter.unit, other.unit)) == [2, 3]
    assert stage.addresses.recover() == {}
    assert {name for name, *_ in stage.told} == {"suspend", "link.started", "linked", "link.assigned"}
    stage.assert_every_id_is_one_meters()


def at_step(stage: Scene, step: int, what) -> None:
    """Something happens when the master has said the `step`-th thing of an assignment: the look that found the meter,
    twice whether the ID is free, the ID, who is there, the commit, who is there still."""
    said = []

    def before(frame: bytes) -> None:
        is_found = stage.new[0].listens(stage.clock.seconds()) == LINK_ID
        if (said or is_found) and len(said) < step:
            said.append(frame)
            if len(said) == step:
                what()

    stage.bus.before = before


@pytest.mark.parametrize("step", range(1, 8))
def test_a_meter_that_loses_its_power_at_any_step_is_linked_when_pressed_again(scene, step):
    stage = linking(scene())
    meter, other = stage.new
    at_step(stage, step, lambda: meter.power(False, stage.clock.seconds()))
    stage.press(meter)
    stage.run_until(lambda: not meter.is_powered)
    stage.run(4)
    meter.power(True, stage.clock.seconds())
    stage.run(1)
    stage.link(other)
    stage.run(30)
    stage.link(meter)
    assert sorted((meter.unit, other.unit)) == [2, 3]
    stage.assert_every_id_is_one_meters()


@pytest.mark.parametrize("step", range(1, 8))
def test_a_power_cut_at_any_step_loses_no_meter_and_gives_no_id_twice(scene, step):
    stage = linking(scene())
    at_step(stage, step, stage.crash)
    stage.press(stage.new[0])
    stage.run_until(lambda: ("crash",) in stage.told)
    after_a_power_cut(stage)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("change", [1, 2])
def test_a_power_cut_at_any_change_of_the_journal_loses_no_meter_and_gives_no_id_twice(scene, when, change):
    stage = linking(scene())
    changes = []

    def keeping(now: str) -> None:
        if now == when:
            changes.append(now)
            if len(changes) == change:
                stage.crash()

    stage.keeping = keeping
    stage.press(stage.new[0])
    stage.run_until(lambda: ("crash",) in stage.told)
    after_a_power_cut(stage)


def test_a_power_cut_before_a_meter_is_configured_tells_of_it_again(scene):
    stage = linking(scene())
    meter = stage.new[0]
    stage.adding = lambda serial: None if ("crash",) in stage.told else stage.crash()
    stage.press(meter)
    stage.run_until(lambda: ("linked", meter.serial, 2) in stage.told)
    assert meter.unit == 2
    assert [name for name, *_ in stage.told] == ["suspend", "link.started", "crash", "linked", "link.assigned"]
    after_a_power_cut(stage)


def after_a_power_cut(stage: Scene) -> None:
    """The program settles what was pending beside polling, and both meters can be linked."""
    meter, other = stage.new
    stage.run(40)
    assert stage.addresses.recover() == {}
    assert (meter.serial in stage.devices.values()) == (meter.unit != 1)
    stage.assert_every_id_is_one_meters()
    linking(stage).link(other, meter)
    assert sorted((meter.unit, other.unit)) == [2, 3]
    stage.assert_every_id_is_one_meters()
    assert stage.devices == {1: stage.devices[1], meter.unit: meter.serial, other.unit: other.serial}
