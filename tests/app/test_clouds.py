"""concentrator.app.clouds: cloud sessions wired to a box, from the bus to a played server, in virtual time."""

import itertools
from pathlib import Path

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock

from concentrator.actions.smartgen import smartgen_actions
from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.genset.history import MOST_BYTES, MOST_KEPT, History
from concentrator.genset.terms import Surroundings
from concentrator.model.errors import Denied, NotConfirmed, Unknown
from concentrator.sim.smartgen_cloud import CloudServer
from concentrator.wire.location import Fix
from concentrator.wire.smartgen import Changes, FullSet, Heartbeat, Inputs, Location, Login, LongCon, Timing, Written
from concentrator.wire.smartgen_fields import Wiring
from concentrator.wire.smartgen_server import LoginAnswer, Reset
from tests.support.clouds import CONFIG, CloudBox, raw

LIVE = ("live.example", 21318)
OTHER = ("other.example", 21318)
POLLED, UNPOLLED = raw("010300000010"), raw("010303000004")
ANSWER = LoginAnswer(live=LIVE, always=(POLLED,), online_s=3.0, offline_s=3.0)
AUTO = "00050003FF007DEB"
OWNER = Caller("control socket", frozenset(Permission))
TWO = CONFIG + (
    '\n[device.other]\nline = "native"\nprofile = "energycm/ccm"\naddress = 2\n'
    '\n[smartgen.two]\ndevice = "other"\nserver = "tcp:cm.example:81"\nname = "Standby set"\nmodel = "DSE7320"\n'
)


@pytest.fixture
def begun(tmp_path):
    """A maker of boxes that run; they end with the test, and leave nothing behind."""
    made = []

    def begin(more="", answer=ANSWER, seconds=6.0, text=CONFIG, meters=1, **server):
        box = CloudBox(tmp_path / str(len(made)), CloudServer(answer, **server), text + more, meters)
        made.append(box)
        box.start()
        box.run(seconds)
        return box

    yield begin
    for box in made:
        box.stop()


def requests(box):
    """What was asked on the bus: function, address, count."""
    return [(each.function, each.address, each.count) for each in box.bus.heard]


def test_a_session_begins_by_itself_and_what_is_polled_anyway_is_not_asked_twice(begun):
    box = begun(seconds=60)
    (login,) = box.server.said(Login)
    assert login == Login(login.hostid, "gen", "123456", "HGM6110", Wiring(2, 0))
    assert len(login.hostid) == 24 and int(login.hostid, 16) and login.hostid.isupper()
    assert len(box.server.said(LongCon)) == 1
    whole = box.server.said(Changes)[0]
    assert [(run.function, run.address, len(run.content)) for run in whole.runs] == [(3, 0, 32)]
    polls = requests(box)
    assert polls.count((3, 0, 16)) <= 60 / 3 + 2
    assert box.server.faults == []
    assert box.server.values[login.hostid][3, 0] == int.from_bytes(whole.runs[0].content[:2])


def test_what_is_polled_in_other_blocks_is_put_together(begun):
    box = begun(seconds=60, answer=evolve(ANSWER, always=(POLLED, raw("010301000010"), raw("01030100000A"))))
    assert box.state().figures["unanswered"] == 0
    asked = requests(box)  # at most once: before they were polled for the first time
    assert max(asked.count((3, 256, 16)), asked.count((3, 256, 10))) <= 1


def test_what_is_not_polled_is_read_on_the_line_and_polling_goes_on(begun):
    alone = begun(seconds=60, answer=evolve(ANSWER, always=()))
    busy = begun(seconds=60, answer=evolve(ANSWER, online_s=1.0, always=(raw("010300640002"), UNPOLLED)))
    polls = [requests(box).count((3, 0, 16)) for box in (alone, busy)]
    assert polls[1] >= polls[0] - 1
    assert 0 < requests(busy).count((3, 100, 2)) <= 61


def test_a_silent_controller_is_asked_less_and_less_by_the_server(begun):
    box = begun(seconds=5, text=TWO, meters=2, answer=evolve(ANSWER, online_s=1.0, always=(UNPOLLED, POLLED)))
    box.bus.bus.faults = evolve(box.bus.bus.faults, silent=frozenset({1}))
    box.run(30)
    box.bus.heard.clear()
    box.run(120)
    silent = sum(1 for each in box.bus.heard if each.unit == 1)
    assert silent <= 40
    assert sum(1 for each in box.bus.heard if each.unit == 2) >= 120 / 3
    box.bus.bus.faults = evolve(box.bus.bus.faults, silent=frozenset())
    box.run(60)
    box.server.heard.clear()
    box.run(10)
    assert {each.hostid for each in box.server.said(Changes)} == {each.hostid for each in box.clouds.states()}


def test_several_gensets_are_several_sessions_each_with_its_own_id(begun):
    box = begun(text=TWO, meters=2)
    one, two = box.clouds.states()
    assert one.hostid != two.hostid
    assert {(each.hostid, each.hostname, each.module_type) for each in box.server.said(Login)} == {
        (one.hostid, "gen", "HGM6110"),
        (two.hostid, "Standby set", "DSE7320"),
    }
    assert two.module_type_name == "AMF module"
    assert {each.hostid for each in box.server.said(Changes)} == {one.hostid, two.hostid}


def test_the_id_stays_over_restarts_and_may_be_that_of_the_modem_it_replaces(begun, tmp_path):
    first = begun()
    again = CloudBox(tmp_path / "0", CloudServer(ANSWER))
    again.start()
    assert again.state().hostid == first.state().hostid
    again.stop()
    given = begun('hostid = "383033313334510900560037"\n')
    assert given.server.said(Login)[0].hostid == "383033313334510900560037"


def test_what_the_server_wants_written_is_the_action_modbus_raw_of_that_session(begun):
    box = begun()
    box.reply = lambda arguments: succeed({"uid": "gen", "function": 5, "is_write": True, "reply": "050003ff00"})
    box.link.say(box.link.talk.write(AUTO, uid="7"))
    box.run(4)
    assert box.asked == [("modbus.raw", {"uid": "gen", "request": "01050003ff007c3a"}, "smartgen one")]
    (answer,) = box.server.said(Written)
    assert (answer.command, answer.is_done, answer.uid) == (AUTO, True, "7")
    assert box.front.commanded == 1
    assert box.events[-1][0] == "smartgen.command"
    assert box.events[-1][1]["done"] is True


@pytest.mark.parametrize("error", [Denied("allow_raw of gen is false"), NotConfirmed("no answer")])
def test_what_is_not_carried_out_is_answered_so_and_never_repeated(begun, error):
    box = begun()
    box.reply = lambda arguments: fail(error)
    box.link.say(box.link.talk.write(AUTO))
    box.run(20)
    assert len(box.asked) == 1
    assert [each.is_done for each in box.server.said(Written)] == [False]
    assert box.front.commanded == 0


def test_an_order_that_takes_too_long_is_answered_so_and_not_taken_back(begun):
    box = begun()
    cancelled = []
    box.reply = lambda arguments: Deferred(lambda deferred: cancelled.append(deferred))
    box.link.say(box.link.talk.write(AUTO))
    box.run(20)
    assert [each.is_done for each in box.server.said(Written)] == [False]
    assert cancelled == []


def test_a_server_that_orders_without_end_is_refused_beyond_a_few(begun):
    box = begun()
    for _ in range(60):
        box.link.say(box.link.talk.write(AUTO))
        box.run(0.1)
    assert len(box.asked) <= 5 + 7


def test_a_flood_of_orders_is_no_flood_of_events(begun):
    box = begun()
    for _ in range(100):
        box.link.say(box.link.talk.write(AUTO))
        box.run(0.1)
    told = [facts["text"] for name, facts in box.events if name == "smartgen.command"]
    assert len(box.asked) <= len(told) <= 2 * len(box.asked) <= 2 * (5 + 11)
    assert sum("writes to gen a second" in text for text in told) >= 1


def test_reading_by_write_config_asks_nobodys_leave(begun):
    box = begun()
    box.link.say(box.link.talk.write(bytes(POLLED).hex()))
    box.run(3)
    assert box.asked == []
    assert [each.is_done for each in box.server.said(Written)] == [True]


def test_other_modbus_ids_on_the_line_are_not_the_servers(begun):
    text = TWO.partition("[smartgen.two]")[0]
    box = begun(text=text, meters=2, answer=evolve(ANSWER, always=(raw("020303000002"), POLLED)))
    box.link.say(box.link.talk.write(bytes(raw("02050003FF00")).hex()))
    box.run(10)
    assert (3, 768, 2) not in requests(box)
    assert box.asked == []


def test_an_alarm_of_the_genset_reaches_the_server_within_a_second(begun):
    box = begun(answer=evolve(ANSWER, online_s=20.0))
    box.run(15)
    box.server.heard.clear()
    box.happened("genset.alarm", device="other", active=True)
    box.run(0.8)
    assert box.server.said(Changes) == []
    box.happened("genset.alarm", device="gen", active=True)
    box.run(0.9)
    assert len(box.server.said(Changes)) == 1


def test_an_input_of_the_box_reaches_the_server_within_a_second_and_at_the_next_start(begun):
    box = begun()
    box.server.heard.clear()
    box.front.active = {"fire_alarm", "remote_inhibit"}
    box.happened("input.changed", input=1, active=True, function="fire_alarm")
    box.run(0.9)
    changes = [each for each in box.server.said(Changes) if not each.runs]
    assert [each.inputs for each in changes] == [Inputs(fire=True, inhibit=True)]
    box.reply = lambda arguments: succeed({"reply": "050003ff00"})
    box.link.say(box.link.talk.write(AUTO))
    box.run(3)
    assert box.asked == []
    assert [each.is_done for each in box.server.said(Written)] == [False]
    assert box.state().inputs == {"access": False, "fire": True, "alarm": False, "inhibit": True}


def test_the_place_by_hand_is_told_at_the_login(begun):
    more = 'location = "manual"\nlongitude = 113.5\nlatitude = -34.25\naltitude = 12.5\ncoordinates = "baidu"\n'
    box = begun(more)
    assert box.server.said(Login)[0].location == Location(113.5, -34.25, 12.5, is_gps=False)
    assert box.state().location["source"] == "manual"


def test_a_place_that_a_receiver_finds_later_is_told_by_a_new_login(begun, monkeypatch):
    monkeypatch.setattr("concentrator.app.programs.shutil.which", lambda *_, **__: None)
    monkeypatch.setattr("concentrator.app.locating.TCP4ClientEndpoint", lambda *_, **__: _Silent())
    box = begun('location = "gps"\n')
    assert box.server.said(Login)[0].location is None
    box.clouds._locator.fix = Fix(113.5, 34.25, 80.0, 9)
    box.clouds._locator.moved()
    box.run(3)
    assert box.server.said(Login)[-1].location == Location(113.5, 34.25, 80.0)
    assert len(box.server.said(LongCon)) == 2
    assert box.state().satellites == 9


def test_no_receiver_is_asked_where_no_session_wants_to_know_any_more(begun, monkeypatch):
    asked = []

    class Away:
        def connect(self, factory):
            asked.append(factory)
            return fail(ConnectionRefusedError())

    monkeypatch.setattr("concentrator.app.programs.shutil.which", lambda *_, **__: None)
    monkeypatch.setattr("concentrator.app.locating.TCP4ClientEndpoint", lambda *_, **__: Away())
    box = begun('location = "gps"\n', seconds=130)
    assert len(asked) == 3
    section = evolve(box.config.services["smartgen"]["one"], location="off")
    after = evolve(box.config, services={"smartgen": {"one": section}})
    box.clouds.leave(after)
    box.clouds.start(after)
    box.run(130)
    assert len(asked) == 3


class _Silent:
    def connect(self, factory):
        return Deferred()


@pytest.mark.parametrize(
    ("more", "is_trusted", "times"), [("", False, 0), ("set_clock = true\n", True, 0), ("set_clock = true\n", False, 1)]
)
def test_the_servers_time_is_the_boxs_where_it_is_wanted_and_nothing_better_is_known(begun, more, is_trusted, times):
    box = begun(more, seconds=0)
    box.bus.is_trusted = lambda: is_trusted
    box.run(5)
    assert [round(each, 3) for each in box.clocks_set[:1]] == [1497811080.077][:times]


def test_history_goes_where_the_server_wants_it_with_its_time(begun):
    box = begun('history_interval = "1 min"\n', answer=evolve(ANSWER, history=OTHER), seconds=200)
    sets = [each for each in box.server.said(FullSet) if each.time_s is not None]
    assert len(sets) == 3
    assert [later.time_s - earlier.time_s for earlier, later in itertools.pairwise(sets)] == [60, 60]
    assert box.state().figures["history_sent"] == 3


def test_history_waits_while_its_server_is_away(begun):
    box = begun('history_interval = "1 min"\n', answer=evolve(ANSWER, history=OTHER), seconds=0)
    box.away.add(OTHER)
    box.run(190)
    assert box.state().figures["history_waiting"] == 3
    box.away.clear()
    box.run(60)
    assert box.state().figures == {**box.state().figures, "history_waiting": 0, "history_sent": 4}


def test_a_server_of_ones_own_may_be_spoken_to_compressed(begun):
    plain = begun(seconds=300, answer=evolve(ANSWER, is_full=True), can_deflate=True)
    box = begun(
        "compress = true\n", seconds=300, answer=evolve(ANSWER, is_full=True, is_deflated=True), can_deflate=True
    )
    assert len(box.server.said(FullSet)) == len(plain.server.said(FullSet)) > 90
    assert box.server.faults == []
    assert box.sent < plain.sent / 2
    assert plain.server.said(Login)[0].can_deflate is False


def test_settings_that_changed_end_the_session_and_begin_it_anew_and_others_go_on(begun):
    box = begun(text=TWO, meters=2)
    sections = box.config.services["smartgen"]
    after = evolve(box.config, services={"smartgen": {**sections, "one": evolve(sections["one"], site="Here")}})
    box.server.heard.clear()
    box.clouds.leave(after)
    assert [each.name for each in box.clouds.states()] == ["two"]
    box.clouds.start(after)
    box.run(3)
    assert [each.hostname for each in box.server.said(Login)] == ["Here"]
    off = evolve(box.config, services={"smartgen": {"one": evolve(sections["one"], enabled=False)}})
    box.clouds.leave(off)
    box.clouds.start(off)
    assert box.clouds.states() == []
    assert box.links == []


def test_a_device_that_came_while_the_box_ran_has_its_session_without_a_restart(begun):
    text = CONFIG.replace("[smartgen.one]", "[smartgen.other]")
    box = begun(text=text, meters=2)
    known = box.field.known()["gen"]
    box.field.put(box.field.made(evolve(known.device, uid="late", address=2, model="HSC940"), known.profile))
    section = evolve(box.config.services["smartgen"]["other"], device="late")
    after = evolve(box.config, services={"smartgen": {**box.config.services["smartgen"], "late": section}})
    box.clouds.leave(after)
    box.clouds.start(after)
    box.run(6)
    state = box.state("late")
    assert (state.standing, state.model, state.figures["unanswered"]) == ("Online", "HSC940", 0)


def test_how_it_stands_is_told_when_it_turns_and_not_with_every_try(begun):
    box = begun()
    box.away.add(LIVE)
    box.link.loseConnection()
    box.run(40)
    told = [(facts["is_logged_in"], facts["is_online"]) for name, facts in box.events if name == "smartgen.state"]
    assert told == [(True, False), (True, True), (True, False)]
    box.away.add(("cm.example", 81))
    box.run(300)
    box.away.clear()
    box.run(70)
    told = [(facts["is_logged_in"], facts["is_online"]) for name, facts in box.events if name == "smartgen.state"]
    assert told[3:] == [(False, False), (True, False), (True, True)]


def test_factory_settings_are_keys_taken_out_on_behalf_of_whoever_asks(begun):
    box = begun()
    table = ActionTable(lambda entry: None)
    for action in smartgen_actions(box.clouds.states, box.clouds.reset):
        table.register(action)
    done = table.call("smartgen.reset_defaults", {"session": "one"}, OWNER)
    assert done.called
    ((action, arguments, who),) = box.asked
    keys = arguments["changes"]["smartgen.one"]
    assert (action, who) == ("config.set", "control socket")
    assert "device" not in keys and {"server", "password", "live_interval", "description5"} <= set(keys)
    assert set(keys.values()) == {None}
    errors = []
    table.call("smartgen.reset_defaults", {"session": "eno"}, OWNER).addErrback(errors.append)
    assert errors[0].check(Unknown)
    shown = []
    table.call("smartgen.sessions", {}, OWNER).addCallback(shown.append)
    assert shown[0][0]["described"]["rated_power"] == 276
    assert "password" not in str(shown[0])


def test_a_reset_and_a_move_to_another_server(begun):
    box = begun()
    box.server.answer = evolve(ANSWER, live=OTHER)
    box.link.say(box.link.talk.says(Reset()))
    box.run(4)
    assert box.link.place == OTHER
    assert len(box.server.said(Login)) == 2


def test_a_device_that_is_taken_away_does_not_answer_and_nothing_breaks(begun):
    box = begun()
    box.field.remove("gen")
    box.server.heard.clear()
    box.run(60)
    assert box.server.said(Changes) == box.server.said(Changes)[:1]
    assert len(box.server.said(Heartbeat)) >= 5
    box.link.say(box.link.talk.write(AUTO))
    box.run(3)
    assert [each.is_done for each in box.server.said(Written)] == [False]


def test_a_device_that_is_given_another_modbus_id_is_read_and_written_there(begun):
    box = begun(meters=3)
    known = box.field.known()["gen"]
    box.field.put(box.field.made(evolve(known.device, address=3), known.profile))
    box.run(5)
    box.server.heard.clear()
    box.bus.heard.clear()
    box.reply = lambda arguments: succeed({"reply": "050003ff00"})
    box.link.say(box.link.talk.write(AUTO))
    box.run(10)
    assert {each.unit for each in box.bus.heard} == {3}
    assert box.server.said(Changes)
    assert [arguments["request"][:2] for _, arguments, _ in box.asked] == ["03"]


DAY_S = 86_400


def test_a_day_with_the_box_as_the_program_wires_it(begun):
    text = CONFIG.replace("address = 1", 'address = 1\ninterval = "1 min"')
    box = begun(text=text, answer=evolve(ANSWER, online_s=20.0), seconds=0, more='live_interval = "20 s"\n')
    edges, timings = [], []
    box.server.on_heard = lambda message: timings.append(message) if isinstance(message, Timing) else None
    for hour in range(24):
        box.run(1200)
        if hour == 5:
            box.away.add(LIVE)
            box.link.loseConnection()
        if hour == 6:
            box.away.clear()
        if hour == 9:
            box.server.answer = evolve(box.server.answer, live=OTHER)
            box.link.say(box.link.talk.says(Reset()))
        box.run(1200)
        if hour not in (5, 6):
            box.server.heard.clear()
            box.front.active = {"access_alarm"} if hour % 2 else set()
            box.happened("input.changed", input=1, active=bool(hour % 2), function="access_alarm")
            box.run(0.9)
            edges.append(box.server.said(Changes))
        box.run(1200 - (0.9 if hour not in (5, 6) else 0))
    assert box.state().standing == "Online"
    assert box.link.place == OTHER
    assert sum(bool(each) for each in edges) >= 21
    assert box.server.faults == []
    figures = box.state().figures
    assert DAY_S / 20 * 0.9 <= figures["rounds"] <= DAY_S / 20 + 60
    assert figures["unanswered"] <= 2
    assert 4 <= len(timings) <= 8
    # Each round was answered from what was polled, at most 20 s ago, or on the line.
    asked = sum(each == (3, 0, 16) for each in requests(box))
    assert DAY_S / 20 * 0.9 <= asked <= DAY_S / 20 + DAY_S / 60 + 60
    assert len(box.events) < 40


def test_the_folder_of_a_box_without_sessions_stays_as_it_was(tmp_path):
    text = CONFIG[: CONFIG.index("[smartgen")]
    box = CloudBox(tmp_path / "box", CloudServer(), text)
    box.start()
    assert box.clouds.states() == []
    assert not (Path(tmp_path) / "box" / "state" / "smartgen.json").exists()
    box.stop()


def test_history_that_waits_is_bounded_in_number_and_in_bytes():
    around = Surroundings(Clock(), lambda *place: _Silent(), lambda: 0.0, now=lambda: 1_795_000_000.0)
    history = History("A", around)
    for number in range(MOST_KEPT + 50):
        history.keep((bytes([number % 256]) * 100,), OTHER)
    assert history.waiting == MOST_KEPT
    for _ in range(80):
        history.keep((bytes(250),) * 64, OTHER)
    assert 16_000 * history.waiting <= MOST_BYTES
    history.stop()


def test_history_needs_a_time_and_a_place():
    around = Surroundings(Clock(), lambda *place: _Silent(), lambda: 0.0)
    history = History("A", around)
    history.keep((b"1",), OTHER)
    untimed = history.waiting
    told = History("A", evolve(around, now=lambda: 1.0))
    told.keep((b"1",), None)
    told.keep((), OTHER)
    assert (untimed, told.waiting) == (0, 0)
