"""What a simulated bus obeys, and how it takes commands without waiting for them."""

import os

import pytest

from concentrator.app.simulate_commands import CommandInput, Commands
from concentrator.profile.catalogue import Catalogue
from concentrator.sim.bus import Bus, Faults, Wire
from concentrator.sim.meter import CcmMeter, ccm_meters, unlinked_meters
from concentrator.sim.profile_device import profile_device
from concentrator.sim.profile_map import ProfileMap

NOW = 1_795_262_400.0
PROFILE = Catalogue().get("energycm/ccm")


def scene() -> tuple[Commands, Bus, list[CcmMeter]]:
    """Three meters with IDs, of which two have two secondaries, and one from the factory."""
    meters = [*ccm_meters(PROFILE, 3, "test", NOW, 2), *unlinked_meters(PROFILE, 1, "test", NOW, after=3)]
    bus = Bus(Wire(), Faults(seed=7), lambda frame: [], lambda exchange: None)
    return Commands(bus, meters), bus, meters


@pytest.mark.parametrize(
    ("line", "faults"),
    [
        ("silence 3,7-9", Faults(silent=frozenset({3, 7, 8, 9}), crc=0.5, seed=7)),
        ("silence", Faults(crc=0.5, seed=7)),
        ("noise 0.1", Faults(silent=frozenset({1}), noise=0.1, crc=0.5, seed=7)),
        ("crc 0", Faults(silent=frozenset({1}), seed=7)),
        ("capture 1", Faults(silent=frozenset({1}), capture=1.0, crc=0.5, seed=7)),
        ("late 0.2:300", Faults(silent=frozenset({1}), late=0.2, late_s=0.3, crc=0.5, seed=7)),
    ],
)
def test_a_command_changes_its_own_fault_and_leaves_the_others(line: str, faults: Faults) -> None:
    commands, bus, _ = scene()
    bus.faults = Faults(silent=frozenset({1}), crc=0.5, seed=7)
    assert commands.obey(line, NOW) == {"done": line}
    assert bus.faults == faults


def test_a_button_is_pressed_and_the_answer_tells_what_follows() -> None:
    commands, _, meters = scene()
    newcomer = meters[3]
    line = f"press {newcomer.serial}"
    assert commands.obey(line, NOW) == {
        "done": line,
        "meter": {
            "serial": newcomer.serial,
            "stored_id": 1,
            "power": True,
            "listens": 247,
            "stage": "waiting",
            "seconds_left": 60,
            "nonce": newcomer.link.nonce,
            "led": "slow",
            "direction_mode": 0,
        },
    }
    shown = commands.obey(f"show {newcomer.serial}", NOW + 61)["meter"]
    assert (shown["stage"], shown["listens"], shown["led"]) == ("normal", 1, "off")


def test_meters_are_cut_moved_reset_and_replaced() -> None:
    commands, _, meters = scene()
    first, second, third, _ = meters
    assert commands.obey(f"power {first.serial} off", NOW)["meter"]["listens"] is None
    assert commands.obey(f"power {first.serial} on", NOW + 1)["meter"]["listens"] == 1
    assert commands.obey(f"move {second.serial} 9", NOW)["meter"]["stored_id"] == 9
    assert commands.obey(f"reset {third.serial}", NOW)["meter"]["serial"] == third.serial
    assert third.measuring.values(NOW)["ea_imp"] == 0
    assert commands.obey(f"replace {third.serial} 0420099999", NOW)["meter"]["stored_id"] == 3
    assert third.serial == "0420099999"
    assert "done" in commands.obey("show 0420099999", NOW)


def test_a_secondary_is_shown_and_cut_and_has_no_button() -> None:
    commands, _, meters = scene()
    serial = meters[0].behind.secondaries[1].serial
    assert commands.obey(f"power {serial} off", NOW)["meter"]["heard_before"] == 0
    assert commands.obey(f"show {serial}", NOW + 30)["meter"]["heard_before"] == 30
    assert commands.obey(f"power {serial} on", NOW + 60)["meter"] == {
        **commands.obey(f"show {serial}", NOW + 70)["meter"]
    }
    assert "secondary" in commands.obey(f"press {serial}", NOW)["error"]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "dance",
        "press",
        "press 0000000000",
        "press 0420020081 twice",
        "power 0420020081",
        "power 0420020081 half",
        "move 0420020081 247",
        "move 0420020081 x",
        "replace 0420020081 12",
        "noise",
        "noise 2",
        "noise nan",
        "silence x",
        "silence 3 4",
        "late 1",
    ],
)
def test_what_is_not_understood_changes_nothing_and_is_answered(line: str) -> None:
    commands, bus, meters = scene()
    before = [(meter.serial, meter.unit, meter.listens(NOW)) for meter in meters]
    answer = commands.obey(line, NOW)
    assert list(answer) == ["error"]
    assert answer["error"].startswith(line)
    assert bus.faults == Faults(seed=7)
    assert [(meter.serial, meter.unit, meter.listens(NOW)) for meter in meters] == before


def test_a_device_of_a_profile_is_shown_with_what_it_says() -> None:
    device = profile_device(ProfileMap(Catalogue().get("eastron/sdm630")), 5, "test")
    commands = Commands(None, [], [device])
    shown = commands.obey(f"show {device.serial}", NOW)["meter"]
    assert (shown["profile"], shown["values"]) == ("eastron/sdm630", device.values(NOW))
    assert "only shown" in commands.obey(f"press {device.serial}", NOW)["error"]
    assert "no bus" in commands.obey("noise 0.1", NOW)["error"]


def test_commands_come_in_whole_lines_until_the_end() -> None:
    reading, writing = os.pipe()
    commanded = CommandInput(reading)
    assert commanded.watched == (reading,)
    assert commanded.lines([]) == []
    os.write(writing, b"silence 3\npre")
    assert commanded.lines([reading]) == ["silence 3"]
    os.write(writing, b"ss 0420020081\r\n\xff\n")
    assert commanded.lines([reading]) == ["press 0420020081", "\N{REPLACEMENT CHARACTER}"]
    os.close(writing)
    assert commanded.lines([reading]) == []
    assert commanded.watched == ()
    assert commanded.lines([reading]) == []
    os.close(reading)


def test_an_input_that_cannot_be_read_is_one_that_has_ended() -> None:
    reading, writing = os.pipe()
    commanded = CommandInput(writing)
    assert commanded.lines([writing]) == []
    assert commanded.watched == CommandInput(None).watched == ()
    for descriptor in (reading, writing):
        os.close(descriptor)


def controller():
    """A genset's controller, alone on its bus."""
    device = profile_device(ProfileMap(Catalogue().get("smartgen/hgm6100n")), 3, "commands")
    return Commands(None, devices=[device]), device


def test_the_mains_of_a_genset_go_away_and_come_back() -> None:
    commands, device = controller()
    values = commands.obey(f"mains {device.serial} off", NOW)["meter"]["values"]
    assert (values["mains_normal"], values["mains_v1"], values["mode_auto"]) == (0, 0, 1)
    assert commands.obey(f"show {device.serial}", NOW + 20)["meter"]["values"]["gen_on_load"] == 1
    assert commands.obey(f"mains {device.serial} on", NOW + 21)["meter"]["values"]["mains_normal"] == 1


def test_a_genset_has_an_alarm_until_it_has_none() -> None:
    commands, device = controller()
    values = commands.obey(f"alarm {device.serial} shutdown overspeed", NOW)["meter"]["values"]
    assert (values["common_alarm"], values["common_shutdown"], values["overspeed_shutdown"]) == (1, 1, 1)
    values = commands.obey(f"alarm {device.serial} none", NOW + 1)["meter"]["values"]
    assert (values["common_alarm"], values["common_shutdown"], values["overspeed_shutdown"]) == (0, 0, 0)


def test_somebody_works_a_genset_at_its_controller() -> None:
    commands, device = controller()
    assert commands.obey(f"order {device.serial} manual", NOW)["meter"]["values"]["mode_manual"] == 1
    commands.obey(f"order {device.serial} start", NOW)
    assert commands.obey(f"show {device.serial}", NOW + 10)["meter"]["values"]["speed"] == 1500


@pytest.mark.parametrize("line", ["mains {} away", "alarm {} worse", "order {} fly", "press {}"])
def test_what_a_genset_cannot_be_told_is_an_error(line: str) -> None:
    commands, device = controller()
    said = commands.obey(line.format(device.serial), NOW)
    assert "expected silence" in said["error"] and "order SERIAL COMMAND" in said["error"]
