"""A made-up box with a past: a journal in memory behind its pages, and ways to fill it."""

from __future__ import annotations

from functools import partial

from concentrator.actions.events import event_actions
from concentrator.actions.trends import TrendView, trend_actions
from concentrator.journal.happenings import happenings
from concentrator.journal.trend import counted, trend
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from concentrator.model.record import EVENT_PERIOD, Draft, Tally
from concentrator.portal.house import LOOKING
from tests.support.journals import Bench, result
from tests.support.web import MADRID, FakeBox

PERIOD_S = 300
COLUMNS = (
    Quantity("p", "W", Kind.INSTANTANEOUS, "active power", 1),
    Quantity("v1", "V", Kind.INSTANTANEOUS, "voltage L1", 2),
    Quantity("ea_imp", "kWh", Kind.COUNTER, "active energy imported", 2),
)


class PastBox(FakeBox):
    """Five-minute records of power, voltage and energy, and events; `kept` says whether history is stored."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.journal = self.bench.journal()
        self.kept = True
        view = TrendView(
            self.journal.devices,
            lambda *asked: self.journal.query(lambda tables: trend(tables, *asked)),
            lambda *asked: self.journal.query(lambda tables: counted(tables, *asked)),
            lambda uid: [column.name for column in COLUMNS],
            lambda: PERIOD_S,
            lambda: self.kept,
            MADRID,
        )
        for action in (*trend_actions(view, self.wall), *event_actions(self.happened, self.wall)):
            self.table.register(action)

    def happened(self, since, before, fits, limit):
        return self.journal.query(partial(happenings, since=since, before=before, fits=fits, limit=limit))

    def store(self, *drafts):
        """Puts records in, at once."""
        self.bench.append(self.journal, *drafts)

    def fill(self, uid, start, stop, watts, gaps=()):
        """Records in (start, stop] with the power `watts(end)` gives, varying by a tenth within each; none where a gap
        is: of (from, to, quality), records of that quality without values, or none at all where there is no quality."""
        drafts = []
        for end in range(start + PERIOD_S, stop + 1, PERIOD_S):
            gap = next((each for each in gaps if each[0] < end <= each[1]), None)
            if gap is None:
                drafts.append(record(uid, end, watts(end)))
            elif gap[2]:
                drafts.append(Draft(uid, f"S-{uid}", end, PERIOD_S, COLUMNS, (None,) * 3, gap[2]))
        self.store(*drafts)

    def happen(self, name, at, uid="", **facts):
        """An event, as the box would keep it."""
        facts = ({"device": uid} if uid else {}) | facts
        self.store(Draft(uid, f"S-{uid}", int(at), EVENT_PERIOD, event={"event": name, **facts}))

    def listed(self, **arguments):
        """What `events.list` gives."""
        return result(self.table.call("events.list", arguments, LOOKING))


def record(uid, end, watts):
    """A good record of thirty readings."""
    steps = round(watts * 10)
    wide = abs(steps) // 10
    power = Tally(30, 30 * steps, steps - wide, steps + wide, steps)
    voltage = Tally(30, 30 * 23010, 22900, 23100, 23000)
    energy = Tally(30, *[end // 300] * 4)
    return Draft(uid, f"S-{uid}", end, PERIOD_S, COLUMNS, (power, voltage, energy), Quality.GOOD)
