"""The controllers of gensets: every model of the CMM365's manual can be chosen, and what the makers say of their
registers decodes as they say it."""

import struct
from functools import cache

import pytest

from concentrator.model.genset import Alarm, Mode
from concentrator.model.profile import Block, Function
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.decode import compile_block
from concentrator.profile.genset_status import DETAILS, genset_status, needs
from concentrator.profile.plan import plan_blocks

CATALOGUE = Catalogue()
FORM_4 = {
    "smartgen/hgm6100n": "HGM6110 HGM6120",
    "smartgen/hgm4000n": "HGM410 HGM420",
    "smartgen/hgm9500": "HGM9510 HGM9520 HGM9530 HGM9540",
    "smartgen/hgm9560": "HGM9560 HGM9580",
    "smartgen/hsc940": "HSC940",
    "smartgen/passthrough": "HGM7x10 HGM7x20 HGM9120 HGM9210 HGM9220 HGM9310 HGM9320 HGM9410 HGM9420 HGM9610 HGM9620 "
    "ZX9320 TC1.0 TC2.0 TC3.0",
    "deepsea/dse71xx-mkii": "DSE7110MKII DSE7120MKII",
    "deepsea/dse7xxx": "DSE7210 DSE7220 DSE7310 DSE7320 DSE7410 DSE7420 DSE7450",
    "deepsea/dse8xxx": "DSE8610 DSE8620",
    "comap/intelilite-nt": "MRS10_II MRS16_II AMF25_II",
    "comap/igs-nt": "IGNT",
    "harsen/passthrough": "GU620A GU621A GU630A GU631A GU620A-00 GU621A-00 GU630A-00 GU631A-00 GU320A GU320B",
}
"""SmartGen CMM365-2G, user manual, Form 4: the controllers of its module, by the profile they have here."""
MAPPED = [key for key in FORM_4 if not key.endswith("/passthrough")]
MAPPED += ["deepsea/dse7xxx-mkii", "comap/intelilite4"]
BRANDS = {"smartgen": "SmartGen", "deepsea": "DeepSea", "comap": "ComAp", "harsen": "Harsen"}


@cache
def profile(key):
    return CATALOGUE.get(key)


def decoded(key, function, address, data):
    """What the registers or coils from an address on say."""
    count = 8 * len(data) if function is Function.COIL else len(data) // 2
    there = range(address, address + count)
    points = [
        point
        for point in profile(key).points
        if point.function is function and all(each in there for each in point.addresses)
    ]
    return compile_block(Block(function, address, count, tuple(points)))(data)


def registers(key, address, *words):
    return decoded(key, Function.HOLDING, address, struct.pack(f">{len(words)}H", *words))


def coils(key, *those):
    """What the coils of a controller say of which only those are on."""
    bits = sum(1 << number for number in those)
    return decoded(key, Function.COIL, 0, bits.to_bytes(12, "little"))


def test_there_are_twelve_with_a_map_and_two_that_are_passed_through():
    keys = [heading.key for heading in CATALOGUE.headings() if heading.type == "genset"]
    assert sorted(key for key in keys if profile(key).points) == sorted(MAPPED)
    assert (len(MAPPED), len(keys)) == (12, 14)


def test_every_model_of_the_manual_can_be_chosen():
    models = {(key, model.replace("_", " ")) for key, those in FORM_4.items() for model in those.split()}
    assert len(models) == 51
    for key, model in models:
        heading = next(one for one in CATALOGUE.headings() if one.key == key)
        assert model in heading.models
        assert heading.brand == BRANDS[key.split("/")[0]]
        assert model in CATALOGUE.choices(*heading.place)


def test_no_brand_has_a_model_twice():
    for brand in BRANDS.values():
        models = [model for one in CATALOGUE.headings() if one.brand == brand for model in one.models]
        assert len(set(models)) == len(models)


@pytest.mark.parametrize("key", ["smartgen/passthrough", "harsen/passthrough"])
def test_what_has_no_map_is_passed_through_and_says_so(key):
    assert profile(key).settings["passthrough"] is True
    assert plan_blocks(profile(key)) == () and profile(key).commands == () and profile(key).genset is None
    assert any("nothing is read" in doubt for doubt in profile(key).doubts)


@pytest.mark.parametrize("key", MAPPED)
def test_its_mode_and_whether_it_runs_can_be_told(key):
    rules = profile(key).genset
    assert {mode for mode, _ in rules.mode} >= {Mode.MANUAL, Mode.AUTO}
    assert rules.running
    read = {point.name for block in plan_blocks(profile(key)) for point in block.points}
    assert needs(rules) <= read


@pytest.mark.parametrize("key", MAPPED)
def test_its_details_are_those_of_a_genset(key):
    names = {point.name for point in profile(key).points}
    assert {"p", "battery_voltage"} <= names & set(DETAILS)


def test_a_controller_of_the_small_family_says_how_it_is():
    values = coils("smartgen/hgm6100n", 0, 1, 7, 28, 41, 65)
    values |= registers("smartgen/hgm6100n", 34, 9)
    status = genset_status(profile("smartgen/hgm6100n").genset, values)
    assert (status.mode, status.is_running, status.engine) == (Mode.AUTO, True, "normal running")
    assert (status.mains_ok, status.mains_on_load, status.gen_on_load) == (True, False, True)
    assert (status.alarm, status.alarms) == (Alarm.WARNING, ("low fuel warning",))


@pytest.mark.parametrize(("code", "runs"), [(0, False), (4, False), (5, True), (11, True), (12, False), (15, False)])
def test_an_engine_runs_from_the_safety_run_to_the_stop_idle(code, runs):
    for key in ("smartgen/hgm6100n", "smartgen/hgm4000n"):
        assert genset_status(profile(key).genset, registers(key, 34, code)).is_running is runs


def test_a_shutdown_of_the_small_family_has_its_name():
    status = genset_status(profile("smartgen/hsc940").genset, coils("smartgen/hsc940", 0, 2, 8, 43))
    assert (status.alarm, status.alarms, status.mode) == (Alarm.SHUTDOWN, ("emergency stop",), Mode.STOP)


def test_what_the_small_family_has_no_data_for_is_absent():
    assert "coolant_temp" not in registers("smartgen/hgm6100n", 17, 32766)
    assert "oil_pressure" not in registers("smartgen/hgm6100n", 19, 32767)
    assert registers("smartgen/hgm6100n", 17, 0xFFF6) == {"coolant_temp": -10}


def test_powers_have_the_steps_of_their_family():
    assert registers("smartgen/hgm6100n", 26, 28)["p"] == 28_000
    assert registers("smartgen/hgm4000n", 26, 280)["p"] == 28_000


def test_counters_of_the_small_family_have_their_high_word_first():
    for key in ("smartgen/hgm6100n", "smartgen/hgm4000n", "smartgen/hsc940"):
        assert registers(key, 42, 0x0001, 0xE240)["run_hours"] == 123_456


def test_the_parallel_controllers_have_their_low_word_first():
    assert registers("smartgen/hgm9500", 180, 0x86A0, 0x0001)["p"] == 10_000_000
    assert registers("smartgen/hgm9500", 180, 0xFFFF, 0xFFFF)["p"] == -100
    assert registers("smartgen/hgm9500", 274, 0xE240, 0x0001)["energy"] == 123_456
    assert registers("smartgen/hgm9560", 109, 0x86A0, 0x0001)["p"] == 10_000_000


def test_the_seven_groups_of_alarms_have_one_layout():
    key = "smartgen/hgm9500"
    said = {1: "shutdown", 16: "trip and stop", 31: "trip", 46: "safety trip and stop", 61: "safety trip"}
    said |= {76: "block", 91: "warning"}
    for address, word in said.items():
        status = genset_status(profile(key).genset, registers(key, address, 0x0002, 0, 0x8000))
        assert status.alarms == (f"overspeed {word}", f"synchronism failure {word}")
    words = profile(key).genset.words
    assert sum(bool(name) for word in words for name in word.names) == 609


@pytest.mark.parametrize(
    ("address", "level"), [(1, Alarm.SHUTDOWN), (16, Alarm.SHUTDOWN), (31, Alarm.TRIP), (61, Alarm.TRIP)]
)
def test_a_group_of_alarms_has_its_level(address, level):
    values = registers("smartgen/hgm9500", address, 1)
    assert genset_status(profile("smartgen/hgm9500").genset, values).alarm is level


def test_the_mains_controller_tells_which_side_is_on_load():
    values = registers("smartgen/hgm9560", 193, 7, 0, 0, 0, 3) | registers("smartgen/hgm9560", 44, 0)
    status = genset_status(profile("smartgen/hgm9560").genset, values)
    assert (status.mains_ok, status.mains_on_load, status.gen_on_load) == (True, True, False)


@pytest.mark.parametrize("key", [key for key in MAPPED if key.startswith("deepsea/")])
def test_the_eight_highest_values_of_gencomm_mean_nothing(key):
    for word in range(0xFFF8, 0x10000):
        assert registers(key, 1024, word) == {}
        assert registers(key, 1032, 0xFFFF, word) == {}
    for word in range(0x7FF8, 0x8000):
        assert registers(key, 1025, word) == {}
        assert registers(key, 1536, 0x7FFF, 0xFFF8 | word & 7) == {}
    assert registers(key, 1024, 0xFFF7) == {"oil_pressure": 0xFFF7}
    assert registers(key, 1536, 0xFFFF, 0xFC18) == {"p": -1000}


def test_gencomm_has_its_high_word_first():
    assert registers("deepsea/dse7xxx", 1032, 0x0001, 0x0000) == {"gen_v1": 6553.6}


@pytest.mark.parametrize(
    ("key", "address", "names"),
    [
        ("deepsea/dse7xxx", 2049, ("emergency stop", "low oil pressure", "high coolant temperature")),
        ("deepsea/dse7xxx-mkii", 39425, ("emergency stop", "low oil pressure", "high coolant temperature")),
        ("deepsea/dse71xx-mkii", 39425, ("emergency stop", "low oil pressure", "high coolant temperature")),
        ("deepsea/dse8xxx", 39425, ("emergency stop", "low oil pressure", "high coolant temperature")),
    ],
)
def test_the_first_alarm_of_gencomm_is_in_the_highest_nibble(key, address, names):
    status = genset_status(profile(key).genset, registers(key, address, 0x3425))
    found = [f"{name} {word}" for name, word in zip(names, ("shutdown", "electrical trip", "warning"), strict=True)]
    assert list(status.alarms[:3]) == found
    assert status.alarms[3].endswith("controlled shutdown")
    assert status.alarm is Alarm.SHUTDOWN


def test_gencomm_without_an_engine_state_runs_by_its_speed():
    rules = profile("deepsea/dse7xxx").genset
    values = registers("deepsea/dse7xxx", 1408, 0xFFFF)
    assert values == {}
    assert genset_status(rules, registers("deepsea/dse7xxx", 1030, 1500)).is_running is True
    assert genset_status(rules, registers("deepsea/dse7xxx", 1408, 0) | {"speed": 1500}).is_running is False


@pytest.mark.parametrize(
    ("code", "mode"),
    [
        (0, Mode.STOP),
        (1, Mode.AUTO),
        (2, Mode.MANUAL),
        (3, Mode.TEST),
        (4, Mode.AUTO),
        (5, Mode.UNKNOWN),
        (6, Mode.TEST),
        (7, Mode.OFF),
    ],
)
def test_gencomm_has_eight_modes(code, mode):
    assert genset_status(profile("deepsea/dse8xxx").genset, registers("deepsea/dse8xxx", 772, code)).mode is mode


def test_the_keys_of_gencomm_come_with_their_complement():
    for key in [key for key in MAPPED if key.startswith("deepsea/")]:
        for command in profile(key).commands:
            number, complement = command.values
            assert (number + complement, command.address) == (0xFFFF, 4104)
            function = number - 35700
            assert (command.support_register, command.support_bit) == (4096 + function // 16, 15 - function % 16)


def test_comap_reads_one_object_at_a_time_where_it_must():
    blocks = plan_blocks(profile("comap/intelilite-nt"))
    assert len(blocks) == len(profile("comap/intelilite-nt").points)
    assert {block.count for block in blocks} == {1, 2, 8}


def test_comap_reads_over_no_hole():
    for key in ("comap/intelilite4", "comap/igs-nt"):
        for block in plan_blocks(profile(key)):
            there = {address for point in block.points for address in point.addresses}
            assert there == set(range(block.address, block.address + block.count))


def test_comap_says_its_mode_and_its_engine():
    key = "comap/intelilite4"
    values = registers(key, 1298, 8) | registers(key, 1382, 2) | registers(key, 4214, 0)
    status = genset_status(profile(key).genset, values)
    assert (status.mode, status.is_running, status.gen_on_load, status.engine) == (Mode.AUTO, True, True, "loaded")
    assert status.alarm is Alarm.NONE
    assert genset_status(profile(key).genset, registers(key, 1298, 12)).alarm is Alarm.SHUTDOWN
    assert genset_status(profile(key).genset, registers(key, 4214, 2)).alarm is Alarm.WARNING


def test_commands_of_comap_name_their_result():
    for key in [key for key in MAPPED if key.startswith("comap/")]:
        start = next(command for command in profile(key).commands if command.name == "start")
        assert start.values == (0x01FE, 0, 1)
        assert (start.result_address, start.result_ok) == (start.address, 0x1FF)


def test_what_nobody_confirmed_cannot_be_commanded_unseen():
    unverified = {key for key in MAPPED if not profile(key).settings["commands_verified"]}
    assert unverified == {"smartgen/hgm4000n", "smartgen/hgm9500", "smartgen/hgm9560", "comap/intelilite-nt"}
    assert profile("smartgen/hgm6100n").settings["verified_models"] == ["HGM6120N"]
