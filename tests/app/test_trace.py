from pathlib import Path

import pytest

from concentrator.app.trace import Following, followed, line_report, lines_table, trace_lines

LINE = {
    "name": "native",
    "endpoint": "serial:/dev/x",
    "is_open": True,
    "trouble": "",
    "counters": {"requests": 1000, "answers": 999, "timeouts": 1, "bytes_out": 8000, "bytes_in": 109000},
    "stations": {
        "10": {"requests": 400, "answers": 400},
        "2": {"requests": 600, "answers": 599, "timeouts": 1, "refusals": 3, "garbled": 2},
    },
    "devices": {"2": "main"},
    "utilisation": 0.634,
    "round_s": 2.94,
    "suspended": "",
}


def exchange(at="2026-11-21T09:41:07.123Z", **said):
    told = {"station": "1", "device": "main", "asked": "read 1 coil at 0x0000", "took_ms": 118.84, "verdict": ""}
    return {"at": at, "request": "01 02", "received": "03 04", **told, **said}


def test_lines_are_a_table():
    shut = LINE | {"name": "b", "is_open": False, "round_s": None, "counters": {}, "suspended": "x"}
    head, first, second = lines_table([LINE, shut])
    assert head.split() == [
        "LINE", "STATE", "REQUESTS", "ANSWERS", "TIME-OUTS", "DAMAGED", "EXCEPTIONS", "LATE", "BYTES", "OUT", "BYTES",
        "IN", "USED", "ROUND", "ENDPOINT",
    ]  # fmt: skip
    assert first.split() == [
        "native", "open", "1000", "999", "1", "0", "0", "0", "8000", "109000", "63%", "2.9", "s", "serial:/dev/x",
    ]  # fmt: skip
    assert second.split()[:4] == ["b", "not", "open", "0"]


def test_a_line_is_told_with_every_station_by_number_and_as_a_whole():
    name, load, head, *rows = line_report(LINE | {"trouble": "it was closed"})
    assert name == "native (serial:/dev/x): open: it was closed"
    assert load == "  used 63% of the last minute, a round of the fast values takes 2.9 s"
    assert [row.split()[0] for row in rows] == ["2", "10", "all"]
    assert rows[0].split() == ["2", "main", "600", "599", "1", "2", "3", "0", "0", "0", "99.8", "%"]
    assert rows[2].split()[-2:] == ["99.9", "%"]
    assert head.index("DEVICE") == rows[0].index("main")


def test_a_line_that_is_not_read_says_why():
    assert next(iter(line_report(LINE | {"suspended": "devices are being linked"}))).endswith(
        ": devices are being linked"
    )


def test_an_exchange_is_words_bytes_and_what_was_wrong():
    silent = exchange(device="", asked="", received="", verdict="The device did not answer in time.")
    assert list(trace_lines([exchange(), silent])) == [
        "2026-11-21T09:41:07.123Z  ID 1 (main)  read 1 coil at 0x0000  118.8 ms",
        "  > 01 02",
        "  < 03 04",
        "2026-11-21T09:41:07.123Z  ID 1  bytes  118.8 ms",
        "  > 01 02",
        "  <",
        "  ! The device did not answer in time.",
    ]


def moments(*seconds):
    return [exchange(at=f"2026-11-21T09:41:{second:06.3f}Z") for second in seconds]


@pytest.mark.parametrize(
    ("before", "now", "new"),
    [
        ([], [1.0, 2.0], [1.0, 2.0]),
        ([1.0, 2.0], [1.0, 2.0], []),
        ([1.0, 2.0], [1.0, 2.0, 3.0], [3.0]),
        ([1.0, 2.0], [2.001, 3.001], [3.001]),  # the wall clock is not the wires' clock
        ([1.0], [5.0, 6.0], [5.0, 6.0]),  # so much came that the ring has forgotten the last
        ([1.0], [], []),
    ],
)
def test_of_a_trace_that_grows_only_what_is_new_is_told(before, now, new):
    following = Following()
    following.new(moments(*before))
    assert list(following.new(moments(*now))) == moments(*new)


def test_a_trace_is_followed_until_somebody_ends_it(monkeypatch):
    asked, given = [], [moments(1.0), moments(1.0), moments(1.0, 2.0)]

    def act(state_dir, name, **arguments):
        asked.append((name, arguments))
        return given.pop(0)

    monkeypatch.setattr("concentrator.app.trace.act", act)
    monkeypatch.setattr("concentrator.app.trace.time.sleep", lambda seconds: None)
    told = followed(Path(), "native", 5)
    assert [next(told) for _ in range(3)] == [moments(1.0), [], moments(2.0)]
    assert asked[0] == ("line.trace", {"line": "native", "last": 5})
    assert asked[1] == ("line.trace", {"line": "native"})
