from types import SimpleNamespace

import pytest
from attrs import define, evolve, field
from twisted.internet.defer import Deferred, fail, succeed

from concentrator.actions.table import Caller, Permission
from concentrator.api import Happened, InputState, UplinkState
from concentrator.app.config_panel import InputSection, OutputSection, PanelSection
from concentrator.app.config_sections import BoxSection, Config, LineSection
from concentrator.app.front import build_front
from concentrator.app.link import Links
from concentrator.model.errors import Busy, Denied, Unknown
from concentrator.model.genset import Alarm
from concentrator.panel.lights import Modem

ANA = Caller("ana", frozenset(Permission))


class Mode:
    """Link mode of a line, which is on or off."""

    def __init__(self, fails=False):
        self.is_on = False
        self.fails = fails

    def start(self):
        if self.fails:
            return fail(Busy("the line is being scanned"))
        self.is_on = True
        return succeed(None)

    def stop(self):
        self.is_on = False
        return succeed(None)


@define
class Wire:
    """A line with devices on it."""

    healths: list = field(factory=lambda: ["answering"])
    trouble: str = ""

    @property
    def line(self):
        return SimpleNamespace(trouble=self.trouble, is_open=not self.trouble)

    @property
    def poller(self):
        return SimpleNamespace(
            polled=lambda: [SimpleNamespace(health=SimpleNamespace(label=each)) for each in self.healths]
        )


class World:
    def __init__(self, folder, clock):
        self.folder = folder
        self.clock = clock
        self.links = Links()
        self.uplinks = []
        self.told = []
        self.wires = {"native": Wire()}
        self.asked = []
        self.off = ()
        self.fronts = []

    def config(self, model="PRO", scheme="ccmaster", services=None, **panel):
        lines = {name: LineSection(endpoint=f"serial:/dev/{name}", role="external") for name in self.wires}
        box = BoxSection(model=model, state_dir=self.folder)
        panel = PanelSection(scheme=scheme, **panel)
        return Config(self.folder / "x.toml", box, lines, panel=panel, services=services or {})

    def front(self, model="PRO", scheme="ccmaster", services=None, **panel):
        config = self.config(model, scheme, services, **panel)
        front = build_front(
            config, self.links, lambda: self.uplinks, lambda *told: self.told.append(told), lambda: 9.0, self.clock
        )
        front.wires = lambda: self.wires
        front.ask = self.ask
        front.start(config)
        self.fronts.append(front)
        return front

    def ask(self, action, arguments, caller):
        self.asked.append((action, arguments, caller.name))
        return fail(Unknown("session")) if arguments.get("session") in self.off else succeed(None)

    def relay(self, front):
        return front.panel.outputs()[0].value


@pytest.fixture
def world(tmp_path, clock):
    world = World(tmp_path, clock)
    yield world
    for front in world.fronts:
        front.stop()


def press(front, held_s, caller=ANA):
    done, failed = [], []
    Deferred.fromCoroutine(front.pressed(held_s, caller)).addCallbacks(done.append, failed.append)
    if failed:
        failed[0].raiseException()
    return done[0]


def uplink(is_up):
    return UplinkState("mqtt", "mqtt", "mqtt://x", is_up)


def output(function):
    return {"output": {"relay1": OutputSection(function=function)}}


def session(name, is_logged_in, is_online):
    facts = {"session": name, "is_logged_in": is_logged_in, "is_online": is_online, "text": ""}
    return Happened(1, 0.0, "smartgen.state", facts)


# -- the CcMaster's lights and button


def test_the_lights_say_how_the_box_stands(world):
    front = world.front()
    assert front.state().lights == {"blue": "off", "green": "blink", "yellow": "off"}
    world.uplinks = [uplink(True), uplink(False)]
    world.links._modes["native"] = mode = Mode()
    mode.start()
    assert front.state().lights == {"blue": "blink", "green": "one", "yellow": "off"}
    world.uplinks = [uplink(True)]
    assert front.state().lights["green"] == "two"


def test_the_yellow_light_tells_what_the_modem_does(world):
    front = world.front("PRO")
    front.sources.modem = lambda: Modem.SEARCHING
    assert front.state().lights["yellow"] == "slow"


@pytest.mark.parametrize(("model", "lights"), [("Lite", 2), ("Lite Plus", 2), ("Lite NBIoT", 3), ("PRO", 3)])
def test_only_a_model_with_a_modem_has_the_yellow_light(world, model, lights):
    assert len(world.front(model).state().lights) == lights


def test_the_outputs_are_as_they_were_before_the_program_ended(world):
    world.front().panel.set_output("relay2", True, "ana")
    assert [each.value for each in world.front().state().outputs] == [False, True, 0.0]
    assert world.front().state().inputs == (InputState(), InputState())


def test_two_to_five_seconds_begin_link_mode_and_end_it(world):
    world.links._modes["native"] = mode = Mode()
    front = world.front()
    assert press(front, 3) == "link"
    assert mode.is_on
    assert press(front, 2) == "link"
    assert not mode.is_on


@pytest.mark.parametrize("held_s", [0.5, 7, 12])
def test_any_other_press_of_a_ccmaster_does_nothing_yet_and_says_so(world, held_s):
    world.links._modes["native"] = mode = Mode()
    assert press(world.front(), held_s) == "nothing"
    assert not mode.is_on and world.asked == []


def test_with_several_buses_the_button_ends_what_is_on_before_it_begins_anything(world):
    one, other = world.links._modes["a"], world.links._modes["b"] = Mode(), Mode()
    one.start()
    press(world.front(), 3)
    assert (one.is_on, other.is_on) == (False, False)
    press(world.front(), 3)
    assert (one.is_on, other.is_on) == (True, True)


def test_a_bus_that_cannot_be_linked_now_harms_nobody(world):
    world.links._modes["native"] = mode = Mode(fails=True)
    assert press(world.front(), 3) == "link"
    assert not mode.is_on


def test_without_a_native_bus_the_button_does_nothing(world):
    assert press(world.front(), 3) == "nothing"


# -- the CMM365's


def test_a_cmm365_says_how_its_lines_sessions_and_gensets_are(world):
    front = world.front(scheme="cmm365", services={"smartgen": {"g1": SimpleNamespace(enabled=True)}})
    assert front.state().lights == {
        "power": "slow",
        "alarm": "off",
        "rs485_master": "blink",
        "rs485_slave": "off",
        "gprs": "off",
        "link": "off",
    }
    front.hear(session("g1", True, False))
    assert [front.state().lights[each] for each in ("power", "gprs")] == ["steady", "steady"]
    front.hear(session("g1", True, True))
    front.sources.gensets = lambda: [Alarm.NONE, Alarm.WARNING]
    front.sources.is_slave_asked = lambda: True
    world.wires["native"].healths = ["silent"]
    assert front.state().lights == {
        "power": "red",
        "alarm": "steady",
        "rs485_master": "steady",
        "rs485_slave": "blink",
        "gprs": "blink",
        "link": "off",
    }
    front.sources.has_sim = lambda: False
    assert front.state().lights["power"] == "red_blink"


def test_a_session_that_is_no_more_configured_or_off_counts_no_more(world):
    services = {"smartgen": {"g1": SimpleNamespace(enabled=True), "g2": SimpleNamespace(enabled=False)}}
    front = world.front(scheme="cmm365", services=services)
    front.hear(session("g1", True, True))
    front.hear(session("old", False, False))
    assert front.state().lights["gprs"] == "blink"


def test_without_cloud_sessions_the_uplinks_stand_for_them(world):
    front = world.front(scheme="cmm365")
    world.uplinks = [uplink(True)]
    assert [front.state().lights[each] for each in ("power", "gprs")] == ["steady", "blink"]


def test_lines_are_those_of_the_link_port_where_the_settings_say_so(world):
    world.wires = {"a": Wire(["answering"]), "b": Wire(["silent"]), "c": Wire(["silent"])}
    front = world.front(scheme="cmm365", link_lines=("b",), rs232_lines=("c",))
    assert [front.state().lights[each] for each in ("rs485_master", "link")] == ["blink", "steady"]


def test_a_second_lights_all_lamps_for_a_while(world, clock):
    front = world.front(scheme="cmm365")
    before = front.state().lights
    assert press(front, 0.9) == "nothing" and front.state().lights == before
    assert press(front, 1.0) == "lamp_test"
    assert (set(front.state().lights.values()), front.state().showing) == ({"steady"}, "lamp_test")
    clock.advance(5.0)
    assert (front.state().lights, front.state().showing) == (before, "")


def test_ten_seconds_reset_what_a_cmm365_keeps_and_all_lights_blink_three_times(world, clock):
    services = {
        "input": {"1": InputSection(function="fire_alarm")},
        "smartgen": {"g1": SimpleNamespace(enabled=True)},
        **output("common_alarm"),
    }
    front = world.front(scheme="cmm365", services=services)
    assert press(front, 10) == "factory"
    changes = {
        "input.1": {"function": None, "active": None, "delay": None},
        "output.relay1": {"function": None},
    }
    assert world.asked == [
        ("config.set", {"changes": changes}, "ana"),
        ("smartgen.reset_defaults", {"session": "g1"}, "ana"),
    ]
    assert (set(front.state().lights.values()), front.state().showing) == ({"blink"}, "reset")
    clock.advance(3.0)
    assert front.state().showing == ""
    assert [name for name, _ in world.told] == ["panel.reset"]


def test_a_session_that_is_off_keeps_nothing_else_from_being_reset(world):
    world.off = ("g1",)
    sessions = {name: SimpleNamespace(enabled=True) for name in ("g1", "g2")}
    front = world.front(scheme="cmm365", services={"smartgen": sessions})
    assert press(front, 10) == "factory"
    assert [arguments["session"] for _, arguments, _ in world.asked] == ["g1", "g2"]
    assert ([name for name, _ in world.told], front.state().showing) == (["panel.reset"], "reset")


def test_who_may_not_change_the_configuration_resets_nothing(world):
    front = world.front(scheme="cmm365")
    with pytest.raises(Denied, match="ben"):
        press(front, 10, Caller("ben", frozenset({Permission.LINK})))
    assert (world.asked, world.told, front.state().showing) == ([], [], "")


# -- inputs


def test_input_2_of_a_cmm365_tests_the_lamps_as_it_left_the_factory(world):
    front = world.front(scheme="cmm365")
    assert [each.function for each in front.inputs()] == ["none", "lamp_test"]
    front.panel.set_input(2, True)
    assert set(front.state().lights.values()) == {"steady"}
    front.panel.set_input(2, False)
    assert front.state().lights["alarm"] == "off"
    assert [each.function for each in world.front().inputs()] == ["none", "none"]


def test_an_input_may_forbid_every_command_from_afar(world):
    front = world.front(services={"input": {"2": InputSection(function="remote_inhibit")}})
    assert front.inhibit() == ""
    front.panel.set_input(2, True)
    assert front.inhibit() == "input 2 inhibits remote control"
    assert front.is_active("remote_inhibit") and not front.is_active("fire_alarm")


def test_an_alarm_of_an_input_is_a_common_alarm(world):
    services = {"input": {"1": InputSection(function="access_alarm")}, **output("common_alarm")}
    front = world.front(scheme="cmm365", services=services)
    front.panel.set_input(1, True)
    assert (front.state().lights["alarm"], world.relay(front)) == ("steady", True)
    front.panel.set_input(1, False)
    assert (front.state().lights["alarm"], world.relay(front)) == ("off", False)


def test_the_factory_test_lights_every_lamp_and_closes_outputs_with_functions(world):
    services = {"input": {"1": InputSection(function="factory_test")}, **output("rs232_fail")}
    front = world.front(services=services)
    front.panel.set_input(1, True)
    assert set(front.state().lights.values()) == {"steady"}
    assert [each.value for each in front.panel.outputs()] == [True, False, 0.0]


# -- outputs with functions


def test_an_output_follows_an_alarm_at_once(world):
    front = world.front(services=output("common_alarm"))
    alarms = []
    front.sources.gensets = lambda: alarms
    alarms.append(Alarm.SHUTDOWN)
    front.hear(Happened(1, 0.0, "genset.alarm", {"device": "g1"}))
    assert world.relay(front) is True
    alarms[:] = [Alarm.UNKNOWN]
    front.hear(Happened(2, 0.0, "genset.alarm", {"device": "g1"}))
    assert world.relay(front) is False


@pytest.mark.parametrize("alarm", Alarm)
def test_an_alarm_is_common_whatever_it_does_to_the_genset(world, alarm):
    front = world.front(services=output("common_alarm"))
    front.sources.gensets = lambda: [alarm]
    front.settle()
    assert world.relay(front) is (alarm in (Alarm.WARNING, Alarm.TRIP, Alarm.SHUTDOWN))


@pytest.mark.parametrize(
    ("function", "panel"),
    [
        ("rs485_fail", {}),
        ("link_fail", {"link_lines": ("native",)}),
        ("rs232_fail", {"rs232_lines": ("native",)}),
    ],
)
@pytest.mark.parametrize("trouble", [{"healths": ["silent"]}, {"trouble": "no such port"}])
def test_an_output_is_on_once_talk_on_its_lines_failed_for_ten_seconds(world, clock, function, panel, trouble):
    front = world.front(services=output(function), **panel)
    well = world.wires["native"]
    world.wires["native"] = evolve(well, **trouble)
    clock.pump([1.0] * 9)
    assert world.relay(front) is False
    world.wires["native"] = well
    clock.pump([1.0])
    world.wires["native"] = evolve(well, **trouble)
    clock.pump([1.0] * 10)
    assert world.relay(front) is False, "it began anew"
    clock.pump([1.0])
    assert world.relay(front) is True
    world.wires["native"] = well
    clock.pump([1.0])
    assert world.relay(front) is False


def test_an_output_is_on_while_a_server_has_been_away(world, clock):
    services = {"smartgen": {"g1": SimpleNamespace(enabled=True)}, **output("network_fail")}
    front = world.front(services=services)
    front.hear(session("g1", True, True))
    clock.pump([1.0] * 12)
    assert world.relay(front) is False
    front.hear(session("g1", False, False))
    clock.pump([1.0] * 11)
    assert world.relay(front) is True
    front.hear(session("g1", True, False))
    assert world.relay(front) is False


def test_a_command_of_a_cloud_server_closes_the_output_for_twenty_seconds(world, clock):
    front = world.front(services=output("remote_control"))
    front.remote_commanded()
    clock.pump([1.0] * 19)
    assert world.relay(front) is True
    front.remote_commanded()
    clock.pump([1.0] * 19)
    assert world.relay(front) is True, "the second command counts from its own moment"
    clock.pump([1.0])
    assert world.relay(front) is False


def test_other_settings_are_at_work_at_once_and_nothing_goes_on_without_functions(world, clock):
    front = world.front(services=output("common_alarm"))
    front.sources.gensets = lambda: [Alarm.TRIP]
    clock.pump([1.0])
    assert world.relay(front) is True
    plain = world.config()
    assert front.leave(plain).called
    front.start(plain)
    assert (world.relay(front), clock.getDelayedCalls()) == (False, [])
    front.start(world.config(services=output("input1")))
    front.panel.set_input(1, True)
    assert world.relay(front) is True


def test_outputs_are_looked_at_again_after_a_look_that_failed(world, clock):
    front = world.front(services=output("common_alarm"))
    alarms = []
    front.sources.gensets = lambda: alarms[0]
    clock.pump([1.0] * 3)
    alarms.append([Alarm.SHUTDOWN])
    clock.pump([1.0])
    assert world.relay(front) is True


def test_lines_that_are_no_rs485_do_not_count_as_such(world):
    front = world.front(scheme="cmm365")
    config = world.config(scheme="cmm365")
    far = LineSection(endpoint="tcp:192.168.4.20:502", role="external", protocol="modbus-tcp")
    front.start(evolve(config, lines={"native": far}))
    world.wires["native"].healths = ["silent"]
    assert front.state().lights["rs485_master"] == "off"
