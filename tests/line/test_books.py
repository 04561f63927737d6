"""concentrator.line.books, statistics and trace: what a line remembers."""

import pytest

from concentrator.line.books import Books
from concentrator.line.statistics import Counters, Utilisation
from concentrator.line.trace import Trace
from concentrator.model.errors import Garbled, LineLost, NoReply, Refused, Unexpected


@pytest.mark.parametrize(
    ("error", "counted"),
    [
        (None, {"answers": 1}),
        (Refused(2), {"answers": 1, "refusals": 1}),
        (NoReply(), {"timeouts": 1}),
        (Garbled(), {"garbled": 1}),
        (Unexpected(), {"garbled": 1}),
        (LineLost(), {}),
    ],
)
def test_every_exchange_is_counted_as_what_it_was(error, counted):
    counters = Counters()
    counters.count(8, 9, 0.5, error)
    rising = {"requests": 1, "bytes_out": 8, "bytes_in": 9, "busy_s": 0.5, **counted}
    assert counters.as_mapping() == {name: rising.get(name, 0) for name in counters.as_mapping()}


def test_a_broadcast_is_not_counted_as_answered():
    counters = Counters()
    counters.count(8, 0, 0.01, None)
    assert (counters.requests, counters.answers, counters.turnaround_mean_s) == (1, 0, 0.0)


def test_a_trace_keeps_the_newest_and_reads_as_hex():
    trace = Trace(2)
    for n in range(3):
        trace.keep(float(n), n + 0.1, "main", b"\x01\x03", b"\xff", "The answer is damaged.")
    assert [traced.began for traced in trace.exchanges()] == [1.0, 2.0]
    assert str(trace.exchanges()[0]) == "1.000 main > 01 03 < ff The answer is damaged."


def books(*exchanges):
    """The books of a serial line that began such exchanges: station, seconds from its beginning, error."""
    kept = Books(is_timed=True)
    kept.opened(0.0)
    for n, (station, seconds, error) in enumerate(exchanges):
        kept.known(station)
        kept.exchanged(station, 10.0 * n, 10.0 * n + seconds, b"ask", b"reply", error, seconds / 2)
    return kept


def test_what_is_read_is_up_to_date_whenever_it_is_read():
    kept = books((1, 0.1, None), (2, 0.2, NoReply("nothing came")), (1, 0.3, Refused(2)))
    assert kept.counters_of(1).answers == 2
    assert kept.stations()[2].timeouts == 1
    assert kept.counters().requests == 3
    assert [traced.verdict for traced in kept.trace().exchanges()] == [
        "",
        "The device did not answer in time: nothing came",
        "The device refused the request: exception code 2",
    ]
    for n in range(100):
        kept.exchanged(1, 100.0 + n, 100.5 + n, b"ask", b"reply", None, 0.1)
    assert kept.counters().requests == 103


def test_turnarounds_are_told_as_the_last_and_the_mean():
    one = books((1, 0.2, None), (1, 0.4, None), (1, 9.0, NoReply())).counters_of(1)
    assert (one.turnaround_s, one.turnaround_mean_s) == (0.2, pytest.approx(0.15))
    assert Counters().turnaround_mean_s == 0.0


def test_a_late_answer_is_counted_once_and_for_whom_it_was():
    kept = books((1, 0.3, NoReply()), (2, 0.1, None))
    for at in (5.0, 5.01, 5.02, 5.5):
        kept.strayed(at, 4, debtor=1)
    kept.strayed(9.0, 1, debtor=None)
    assert (kept.counters_of(1).late_answers, kept.counters_of(2).late_answers) == (2, 0)
    assert (kept.counters().late, kept.counters().late_answers) == (17, 2)


@pytest.mark.parametrize(
    ("uses", "now", "share"),
    [
        ([], 10.0, 0.0),
        ([(5.0, 2.0), (10.0, 3.0)], 10.0, 0.5),
        ([(n * 1.0, 0.25) for n in range(1, 200)], 199.0, 0.25),
        ([(n * 1.0, 0.25) for n in range(1, 200)], 500.0, 0.0),
        ([(n * 1.0, 1.0) for n in range(1, 101)] + [(n * 1.0, 0.0) for n in range(101, 131)], 130.0, 0.5),
    ],
)
def test_utilisation_looks_back_for_a_minute(uses, now, share):
    used = Utilisation()
    assert used.share(3.0) == 0.0
    used.begin(0.0)
    for moment, busy_s in uses:
        used.add(moment, busy_s)
    assert used.share(now) == pytest.approx(share, abs=0.06)
