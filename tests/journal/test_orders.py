"""concentrator.journal.orders: what was begun is known after a restart, and no more of it than is kept."""

from concentrator.journal.orders import OrderBook
from tests.support.journals import Bench


def book(bench, journal, road="mqtt"):
    return OrderBook(journal, road, bench.wall)


def test_what_was_begun_and_what_was_answered_is_known_after_a_restart(tmp_path):
    bench = Bench(tmp_path / "journal.db")
    journal = bench.journal()
    mine = book(bench, journal)
    bench.done(mine.begin('"a"', "d1", 10))
    bench.done(mine.end('"a"', b"answer"))
    bench.done(mine.begin("7", "d2", 10))
    bench.close(journal)
    again = bench.journal()
    assert bench.done(book(bench, again).rows()) == [('"a"', "d1", b"answer"), ("7", "d2", None)]
    assert bench.done(book(bench, again, "mqtt.other").rows()) == []
    bench.end()


def test_only_the_newest_are_kept_and_each_road_has_its_own(tmp_path):
    bench = Bench(tmp_path / "journal.db")
    journal = bench.journal()
    mine, other = book(bench, journal), book(bench, journal, "other")
    bench.done(other.begin("1", "d", 3))
    for n in range(10):
        bench.done(mine.begin(str(n), "d", 3))
    bench.done(mine.begin("8", "e", 3))
    assert [row[:2] for row in bench.done(mine.rows())] == [("7", "d"), ("9", "d"), ("8", "e")]
    assert [row[0] for row in bench.done(other.rows())] == ["1"]
    bench.end()
