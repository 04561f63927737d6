from functools import partial

from concentrator.journal import traffic
from tests.support.journals import result

MONTHS = {"2026-10": (1, 2), "2026-11": (3, 4)}


def test_counts_are_kept_for_each_uplink_over_a_restart(bench):
    journal = bench.journal()
    assert result(journal.query(partial(traffic.load, uplink="mqtt"))) == {}
    bench.done(journal.change(partial(traffic.keep, uplink="mqtt", months={"2026-09": (9, 9)})))
    bench.done(journal.change(partial(traffic.keep, uplink="mqtt", months=MONTHS)))
    bench.done(journal.change(partial(traffic.keep, uplink="mqtt.b", months={})))
    bench.close(journal)
    journal = bench.journal()
    assert result(journal.query(partial(traffic.load, uplink="mqtt"))) == MONTHS
    assert result(journal.query(partial(traffic.load, uplink="mqtt.b"))) == {}
