"""concentrator.line.statistics and concentrator.line.trace: what a line remembers."""

import pytest

from concentrator.line.statistics import Counters
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


def test_a_trace_keeps_the_newest_and_reads_as_hex():
    trace = Trace(2)
    for n in range(3):
        trace.keep(float(n), n + 0.1, "main", b"\x01\x03", b"\xff", "The answer is damaged.")
    assert [traced.began for traced in trace.exchanges()] == [1.0, 2.0]
    assert str(trace.exchanges()[0]) == "1.000 main > 01 03 < ff The answer is damaged."
