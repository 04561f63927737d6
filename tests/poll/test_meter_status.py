"""Events of M-Bus meters, by the status in their telegrams."""

import pytest

from concentrator.model.reading import Quality, Reading
from concentrator.poll.meter_status import StatusWatch


@pytest.fixture
def told():
    """`told(*statuses)` gives the names of the events that a meter with these statuses makes."""

    def over(*statuses, **options):
        events = []
        watch = StatusWatch(lambda name, facts: events.append((name, facts["device"])))
        for status in statuses:
            watch.reading_received(Reading("heat", 0.0, {} if status is None else {"mbus_status": status}, **options))
        return [name for name, device in events if device == "heat"]

    return over


@pytest.mark.parametrize(
    ("bit", "name"), [(4, "meter.power_low"), (8, "meter.permanent_error"), (16, "meter.temporary_error")]
)
def test_what_begins_and_ends_is_told_once_each(told, bit, name):
    assert told(0, bit, bit, None, bit, 0, 0) == [name, f"{name}_over"]


def test_a_meter_that_is_not_well_from_the_beginning_is_told(told):
    assert told(4 | 8) == ["meter.power_low", "meter.permanent_error"]


def test_other_bits_are_the_makers_and_the_applications(told):
    assert told(0, 0xE3, 0) == []


def test_what_another_device_says_is_not_the_meters(told):
    assert told(4, quality=Quality.CONFLICT) == []


def test_a_meter_that_is_forgotten_begins_anew():
    events = []
    watch = StatusWatch(lambda name, facts: events.append(name))
    for _ in range(2):
        watch.reading_received(Reading("heat", 0.0, {"mbus_status": 4}))
        watch.forget("heat")
    assert events == ["meter.power_low"] * 2
