"""concentrator.poll.link_mode: whatever happens in whatever order, no ID is two meters' and no meter is lost."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.link_bus import Scene

METERS = 4

meters = st.integers(0, METERS - 1)
moments = st.floats(0.01, 15.0)
events = st.one_of(
    st.tuples(st.just("press"), meters),
    st.tuples(st.just("press two"), meters),
    st.tuples(st.just("cut meter"), meters),
    st.tuples(st.just("cut us"), st.integers(1, 12)),
    st.tuples(st.just("unplug"), st.integers(1, 12)),
    st.tuples(st.just("noise"), st.sampled_from([0.0, 0.1, 0.3])),
    st.tuples(st.just("leave"), st.just(0)),
    st.tuples(st.just("delete"), meters),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=st.lists(st.tuples(events, moments), max_size=12), capture=st.sampled_from([0.0, 0.5]))
def test_no_id_is_given_to_two_meters_whatever_happens(story, capture):
    scene = Scene(unlinked=METERS, capture=capture)
    for (what, which), seconds in story:
        if not scene.mode.is_on:
            scene.mode.start().addErrback(lambda _: None)
        happen(scene, what, which)
        scene.run(seconds)
        scene.bus.plug()
        assert_told_once_each(scene)
    heal(scene)
    for meter in scene.new:  # whoever was left behind is linked by its button
        if not scene.mode.is_on:
            scene.mode.start()
            scene.run(1)
        scene.link(meter)
    assert_told_once_each(scene)
    assert sorted(meter.unit for meter in scene.bus.meters) == [1, *sorted(scene.found().values())]
    scene.assert_every_id_is_one_meters()
    scene.end()


def happen(scene: Scene, what: str, which) -> None:
    """One event; what is cut, is cut some requests later."""
    now = scene.clock.seconds()
    if what == "press":
        scene.press(scene.new[which])
    elif what == "press two":
        scene.press(scene.new[which], scene.new[which - 1])
    elif what == "cut meter":
        meter = scene.new[which]
        meter.power(not meter.is_powered, now)
    elif what == "cut us":
        after_requests(scene, which, scene.crash)
    elif what == "unplug":
        after_requests(scene, which, scene.bus.unplug)
    elif what == "noise":
        scene.bus.bus.faults = type(scene.bus.bus.faults)(noise=which, crc=which)
    elif what == "leave":
        scene.mode.stop()
    elif what == "delete":
        delete(scene, scene.new[which].serial)


def after_requests(scene: Scene, count: int, what) -> None:
    left = [what] + [lambda: None] * count
    scene.bus.before = lambda frame: left.pop()() if left else None


def delete(scene: Scene, serial: str) -> None:
    """A meter is deleted, unless it is just being linked."""
    if scene.mode.status().state not in ("assigning", "confirming"):
        scene.mode.release(serial)
        scene.devices = {unit: its for unit, its in scene.devices.items() if its != serial}


def assert_told_once_each(scene: Scene) -> None:
    """What is configured and what is journalled never give one ID to two."""
    held = [unit for its in scene.addresses.entries().values() for unit in its.held()]
    assert len(held) == len(set(held))
    assert len(set(scene.devices.values())) == len(scene.devices)
    for serial, unit in scene.addresses.done().items():
        assert scene.devices.get(unit) == serial


def heal(scene: Scene) -> None:
    """Everybody has power again, nothing is damaged, and no button counts any more."""
    scene.bus.before = lambda frame: None
    scene.bus.bus.faults = type(scene.bus.bus.faults)()
    for meter in scene.new:
        meter.power(True, scene.clock.seconds())
    scene.run(150)
