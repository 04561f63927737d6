"""concentrator.poll.polled: how often what is read, and how often it really was."""

from concentrator.model.device import Device
from concentrator.model.profile import Block, Function, Rate
from concentrator.poll.polled import Polled, period_s

FAST = Block(Function.HOLDING, 0, 1)
SLOW = Block(Function.HOLDING, 9, 1, rate=Rate.SLOW)


class Station:
    blocks = (SLOW, FAST)


def test_a_block_has_its_own_cadence_its_rate_or_its_devices():
    device = Device("main", "native", "x/y", 1, interval_s=2.5)
    assert period_s(FAST, device) == 2.5
    assert period_s(Block(Function.HOLDING, 0, 1, rate=Rate.NORMAL), device) == 60.0
    assert period_s(Block(Function.HOLDING, 0, 1, rate=Rate.SLOW, every_s=5.0), device) == 5.0


def test_the_round_is_that_of_what_is_read_most_often():
    polled = Polled(Device("main", "native", "x/y", 1), Station())
    slow, fast = polled.jobs(Station.blocks)
    polled.done(fast, 10.0)
    polled.done(slow, 11.0)
    assert polled.round_s is None
    polled.done(fast, 16.5)
    assert polled.round_s == 6.5
    polled.paused()
    polled.done(fast, 100.0)
    assert polled.round_s == 6.5
    polled.done(fast, 103.0)
    assert polled.round_s == 3.0


def test_the_parts_of_a_read_take_its_place_in_the_round():
    polled = Polled(Device("main", "native", "x/y", 1), Station())
    _, fast = polled.jobs(Station.blocks)
    polled.done(fast, 10.0)
    parts = polled.jobs([FAST, FAST])
    polled.replaced(fast, parts)
    polled.done(parts[0], 11.0)
    assert polled.round_s is None
    polled.done(parts[0], 14.0)
    assert polled.round_s == 3.0


def test_blocks_that_have_become_others_are_told_once_and_begin_a_round_of_their_own():
    station = Station()
    polled = Polled(Device("main", "native", "x/y", 1), station)
    _, fast = polled.jobs(station.blocks)
    polled.done(fast, 10.0)
    assert polled.renewed() is None
    station.blocks = (FAST,)
    (job,) = polled.renewed()
    assert job.key is FAST
    assert polled.renewed() is None
    polled.done(job, 20.0)
    assert polled.round_s is None
    polled.done(job, 22.0)
    assert polled.round_s == 2.0
