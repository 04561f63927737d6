"""concentrator.app.keeping: what happens before the journal is open goes into it all the same."""

from twisted.internet.defer import Deferred

from concentrator.app.keeping import EARLY_MOST, Keeping
from concentrator.model.reading import Quality, Reading
from concentrator.model.record import EVENT_PERIOD, Draft


class Boot:
    def __init__(self):
        self.at = 5.0

    def seconds(self):
        return self.at


class Past:
    def __init__(self):
        self.readings, self.events = [], []

    def reading_received(self, reading):
        self.readings.append(reading)

    def event_happened(self, draft, at):
        self.events.append((draft, at))
        return Deferred()


def reading(at):
    return Reading("main", float(at), {"v1": 230.0}, Quality.GOOD)


def event(at):
    return Draft("main", "0420020081", at, EVENT_PERIOD, event={"event": "device.lost"})


def test_what_came_early_follows_with_its_own_time():
    boot, past = Boot(), Past()
    keeping = Keeping(boot)
    keeping.reading_received(reading(1))
    keeping.event_happened(event(2))
    boot.at = 9.0
    keeping.begin(past)
    keeping.reading_received(reading(3))
    keeping.event_happened(event(4))
    assert past.readings == [reading(1), reading(3)]
    assert past.events == [(event(2), 5.0), (event(4), 9.0)]


def test_what_waits_is_bounded_and_the_newest_stays():
    keeping, past = Keeping(Boot()), Past()
    for at in range(EARLY_MOST + 3):
        keeping.reading_received(reading(at))
        keeping.event_happened(event(at))
    keeping.begin(past)
    assert (len(past.readings), len(past.events)) == (EARLY_MOST, EARLY_MOST)
    assert past.readings[-1] == reading(EARLY_MOST + 2)
    assert past.readings[0] == reading(3)
