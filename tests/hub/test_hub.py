"""concentrator.hub: in order, at once, and one listener's fault is its own."""

from concentrator.hub.hub import Hub
from concentrator.hub.latest import Latest
from concentrator.model.reading import Quality, Reading


def reading(uid="a", at=1.0, quality=Quality.GOOD, **values):
    return Reading(uid, at, values, quality)


def test_every_subscriber_gets_every_reading_in_order():
    hub, heard = Hub(), []
    hub.subscribe(lambda r: heard.append(("one", r.at)))
    unsubscribe = hub.subscribe(lambda r: heard.append(("two", r.at)))
    hub.publish(reading(at=1))
    unsubscribe()
    unsubscribe()
    hub.publish(reading(at=2))
    assert heard == [("one", 1), ("two", 1), ("one", 2)]


def test_a_reading_published_by_a_subscriber_waits_its_turn():
    hub, heard = Hub(), []

    def answer(r):
        heard.append(("first", r.at))
        if r.at == 1:
            hub.publish(reading(at=2))

    hub.subscribe(answer)
    hub.subscribe(lambda r: heard.append(("second", r.at)))
    hub.publish(reading(at=1))
    assert heard == [("first", 1), ("second", 1), ("first", 2), ("second", 2)]


def test_a_subscriber_that_raises_harms_nobody():
    hub, heard = Hub(), []
    hub.subscribe(lambda r: 1 / 0)
    hub.subscribe(heard.append)
    hub.publish(reading())
    hub.publish(reading())
    assert len(heard) == 2


def test_the_newest_value_of_each_quantity_is_kept_with_its_time():
    latest = Latest()
    latest.reading_received(reading(at=1, v1=230.0, p=100.0))
    latest.reading_received(reading(at=2, p=110.0))
    latest.reading_received(reading(at=3, quality=Quality.PARTIAL))
    newest = latest.of("a")
    assert newest.values == {"v1": (230.0, 1), "p": (110.0, 2)}
    assert (newest.at, newest.last_seen, newest.quality) == (3, 2, Quality.PARTIAL)
    assert latest.of("nobody").values == {}
    assert list(latest.devices()) == ["a"]


def test_values_of_a_device_in_conflict_are_not_taken_over():
    latest = Latest()
    latest.reading_received(reading(at=1, p=1.0))
    latest.reading_received(reading(at=2, quality=Quality.CONFLICT, p=99.0))
    assert latest.of("a").values == {"p": (1.0, 1)}
