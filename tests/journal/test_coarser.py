"""Coarser records when the base interval becomes another one: they are the same as if it had not."""

import pytest

from concentrator.journal.tables import best
from tests.support.intervals import House
from tests.support.journals import NOON


class Changing(House):
    """Reads a device each second, each time another value, until somebody changes the base interval."""

    def __init__(self, bench, base_s, coarser):
        super().__init__(bench, base_s, coarser)
        self.said = 0

    def live(self, seconds):
        for _ in range(seconds):
            self.said += 1
            self.read(p=float(self.said), ea_imp=self.said / 100)
            self.run(1)

    def change(self, base_s, coarser):
        stopped = self.aggregator.stop()
        self.bench.clock.pump([0.01] * 3 + [1.0, 0.01])
        assert stopped.called
        self.settings |= {"base_s": base_s, "coarser": coarser}
        self.start()

    def merged(self, period):
        """End → the tallies of a record of a period, of power and energy."""
        records = best([r for r in self.all() if r.draft.period == period])
        return {r.draft.end - NOON: tuple(r.draft.tallies[:2]) for r in records}


def told(first, last):
    """Count, sum, least, most and last of power in tenths, and count and last of energy, of those readings."""
    count = last - first + 1
    return (count, 5 * (first + last) * count, 10 * first, 10 * last, 10 * last), (count, *[last] * 4)


CHANGES = {
    "coarser": ((10, [300]), (60, [300])),
    "finer": ((60, [300]), (10, [300])),
    "no multiple": ((10, [300]), (15, [300])),
    "the base becomes a coarser period": ((60, [300]), (10, [60, 300])),
    "a coarser period becomes the base": ((10, [60, 300]), (60, [300])),
    "the same again": ((10, [60, 300]), (10, [60, 300])),
}


@pytest.mark.parametrize("seconds", [25, 60, 145, 299])
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_the_base_interval_neither_loses_nor_doubles(bench, name, seconds):
    before, after = CHANGES[name]
    home = Changing(bench, *before)
    home.live(seconds)
    home.change(*after)
    home.live(610 - seconds)
    home.stop()
    spans, first = {}, 1
    for end, tallies in sorted(home.merged(300).items()):
        count = tallies[0].count
        spans[end] = tallies == told(first, first + count - 1)
        first += count
    assert spans == {300: True, 600: True}
    assert abs(home.merged(300)[300][0].count - 300) <= 2


def test_a_change_back_and_forth_is_no_other(bench):
    home = Changing(bench, 10, [300])
    for base_s in (60, 10, 15, 60):
        home.live(40)
        home.change(base_s, [300])
    home.live(150)
    home.stop()
    ((_, tallies),) = home.merged(300).items()
    assert tallies == told(1, tallies[0].count)
    assert tallies[0].count in range(294, 302)


def test_the_base_interval_is_remembered_over_a_restart(bench):
    home = Changing(bench, 10, [300])
    home.live(75)
    home.change(60, [300])
    home.live(60)
    home.change(60, [300])
    home.live(180)
    home.stop()
    ((_, tallies),) = home.merged(300).items()
    assert tallies == told(1, tallies[0].count)
