"""concentrator.poll.counters: a fall is told once, as what it was, and never counted as less than nothing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.model.reading import Quality, Reading
from concentrator.poll.counters import CounterWatch, Course, Difference, Range, counters_of, difference
from concentrator.profile.catalogue import Catalogue
from tests.support.profiles import load, variable

U32_WH = 2**32 * 0.001
ENERGY = {"unit": "kWh", "type": "u32", "scale": 0.001}
PROFILE = load(
    variable("ea_imp", address=0, **ENERGY),
    variable("ea_exp", address=2, **ENERGY),
    variable("ea_imp_day", address=4, unit="kWh", type="u32", scale=0.001),
    variable("er_imp", address=6, unit="kvarh", type="f32"),
    variable("er_exp", address=8, unit="kvarh", type="u32", sf_address=10),
    variable("pulses", address=12, unit="", kind="counter"),
    variable("v1", address=20),
)


class Scene:
    def __init__(self):
        self.events = []
        ranges = {"main": counters_of(PROFILE), "shed": counters_of(PROFILE)}
        self.watch = CounterWatch(
            lambda name, facts: self.events.append((name, facts)), lambda uid: ranges.get(uid, {})
        )

    def read(self, uid="main", quality=Quality.GOOD, **values):
        self.watch.reading_received(Reading(uid, 0.0, values, quality))

    def told(self):
        return [(name, facts["device"], facts["counters"]) for name, facts in self.events]


@pytest.mark.parametrize(
    ("before", "after", "wrap_at", "expected"),
    [
        (10.0, 12.5, U32_WH, Difference(2.5)),
        (10.0, 10.0, None, Difference(0.0)),
        (65530, 4, 65536, Difference(10, Course.WRAPPED)),
        (65535, 0, 65536, Difference(1, Course.WRAPPED)),
        (65535, 2047, 65536, Difference(2048, Course.WRAPPED)),
        (65535, 2048, 65536, Difference(0.0, Course.RESET)),
        (40000, 0, 65536, Difference(0.0, Course.RESET)),
        (65535, 0, None, Difference(0.0, Course.RESET)),
        (70000, 1, 65536, Difference(0.0, Course.RESET)),
        (123.0, 122.0, None, Difference(0.0, Course.RESET)),
    ],
)
def test_what_was_counted_is_the_difference_over_the_end_of_the_register_or_unknown(before, after, wrap_at, expected):
    assert difference(before, after, wrap_at) == expected


def test_what_trembles_has_counted_nothing():
    assert difference(10.0, 9.999, None, tremble=0.0015) == Difference(0.0)
    assert difference(10.0, 9.997, None, tremble=0.0015) == Difference(0.0, Course.RESET)


_VALUES = st.floats(0, 1e13)


@given(_VALUES, _VALUES, st.none() | st.sampled_from([65536.0, U32_WH, 2.0**64 * 0.001]), st.floats(0, 10))
def test_no_difference_is_ever_negative(before, after, wrap_at, tremble):
    found = difference(before, after, wrap_at, tremble)
    assert found.amount >= 0 and math.isfinite(found.amount)
    if after >= before:
        assert found == Difference(after - before)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**27 - 1))
def test_over_the_end_of_a_register_no_step_is_lost(before, counted):
    after = (before + counted) % 2**32
    assert difference(before, after, 2.0**32).amount == counted


def test_the_range_of_a_counter_comes_from_its_registers():
    ranges = counters_of(PROFILE)
    assert list(ranges) == ["ea_imp", "ea_exp", "er_imp", "er_exp", "pulses"]
    assert ranges["ea_imp"] == Range(pytest.approx(4294967.296), 0.001)
    assert ranges["pulses"] == Range(65536.0, 1.0)
    assert ranges["er_imp"] == Range(None, 0.001, 2.0**-22)
    assert ranges["er_exp"] == Range(None, 0.001)
    assert counters_of(Catalogue().get("energycm/ccm"))["ea_imp"].wrap_at == pytest.approx(2**64 / 1000)


def test_a_counter_that_rises_is_not_told():
    scene = Scene()
    for value in (1.0, 1.0, 1.001, 4294967.295):
        scene.read(ea_imp=value, v1=230 - value % 7)
    assert scene.events == []


def test_a_register_that_ran_over_is_told_once_and_as_that():
    scene = Scene()
    for value in (4294967.29, 0.004, 0.005):
        scene.read(ea_imp=value)
    assert scene.told() == [("counter.wrapped", "main", {"ea_imp": {"from": 4294967.29, "to": 0.004}})]
    assert scene.events[0][1]["text"] == "ea_imp from 4294967.29 to 0.004"


def test_all_counters_that_begin_anew_together_are_told_together():
    scene = Scene()
    scene.read(ea_imp=5000.0, ea_exp=300.0, pulses=65535)
    scene.read(ea_imp=0.0, ea_exp=0.001, pulses=3)
    assert scene.told() == [("counter.wrapped", "main", {"pulses": {"from": 65535, "to": 3}})]
    scene.read(ea_imp=1.0, ea_exp=1.0, pulses=4)
    both = {"ea_imp": {"from": 5000.0, "to": 0.0}, "ea_exp": {"from": 300.0, "to": 0.001}}
    assert scene.told()[1:] == [("counter.reset", "main", both)]
    scene.read(ea_imp=1.1, ea_exp=1.1, pulses=5)
    assert len(scene.events) == 2


def test_a_counter_that_says_nothing_for_once_was_not_reset():
    scene = Scene()
    for value in (5000.0, 0.0, 5000.1, 0.0, 5000.2, 5000.3):
        scene.read(ea_imp=value)
    assert scene.events == []


def test_the_last_digit_may_tremble_but_a_counter_that_creeps_down_is_found():
    scene = Scene()
    for value in (123.457, 123.456, 123.457, 123.456, 123.458):
        scene.read(ea_imp=value)
    for value in (1e6, 1e6 - 0.12):  # two steps of an f32 of that size
        scene.read(er_imp=value)
    for value in (7.0, 6.999):
        scene.read(er_exp=value)
    assert scene.events == []
    scene.read(ea_imp=123.456)
    scene.read(ea_imp=123.456)
    assert [name for name, _ in scene.events] == ["counter.reset"]


def test_what_falls_by_design_and_what_is_no_counter_may_fall():
    scene = Scene()
    scene.read(ea_imp_day=12.0, v1=230.0)
    scene.read(ea_imp_day=0.0, v1=0.0)
    assert scene.events == []


def test_values_of_another_device_are_not_compared():
    scene = Scene()
    scene.read(ea_imp=5000.0)
    scene.read(ea_imp=3.0, quality=Quality.CONFLICT)
    scene.read(quality=Quality.SILENT)
    scene.read(ea_imp=5001.0)
    assert scene.events == []


def test_each_device_has_its_own_and_a_forgotten_one_begins_anew():
    scene = Scene()
    scene.read(ea_imp=5000.0)
    scene.read("shed", ea_imp=10.0)
    scene.read("unknown", ea_imp=10.0)
    scene.watch.forget("main")
    scene.read(ea_imp=1.0)
    assert scene.events == []
    scene.read("shed", ea_imp=9.0)
    scene.read("shed", ea_imp=9.0)
    assert scene.told() == [("counter.reset", "shed", {"ea_imp": {"from": 10.0, "to": 9.0}})]


def test_a_reading_without_the_counter_leaves_it_as_it_was():
    scene = Scene()
    scene.read(ea_imp=5000.0)
    scene.read(v1=230.0)
    scene.read(ea_imp=4000.0)
    scene.read(v1=230.0)
    scene.read(ea_imp=4000.0)
    assert [name for name, _ in scene.events] == ["counter.reset"]
