import pytest
from attrs import evolve

from concentrator.web.http_log import DEFAULT_FORMAT, HttpLog, Served, format_fault, written

HEADERS = {
    "referer": "http://box/devices",
    "user-agent": "Probe/1",
    "cookie": "ccmaster=KEY",
    "authorization": "Basic c2U=",
}
IT = Served(
    address="192.0.2.7",
    port=8080,
    user="anna",
    at="10:41:07",
    method="GET",
    path="/devices",
    query="chart=p",
    version="HTTP/1.1",
    status=200,
    sent=5120,
    header=lambda name: HEADERS.get(name, ""),
)


def test_the_usual_line_is_the_manuals():
    assert DEFAULT_FORMAT == '%h %t "%r" %s %B "%{Referer}i" "%{User-Agent}i"'
    line = '192.0.2.7 10:41:07 "GET /devices?chart=p HTTP/1.1" 200 5120 "http://box/devices" "Probe/1"'
    assert written(DEFAULT_FORMAT, IT) == line


@pytest.mark.parametrize(
    ("directive", "given"),
    [
        ("%a", "192.0.2.7"), ("%b", "5120"), ("%B", "5120"), ("%h", "192.0.2.7"), ("%m", "GET"), ("%p", "8080"),
        ("%q", "?chart=p"), ("%t", "10:41:07"), ("%u", "anna"), ("%U", "/devices"), ("%s", "200"), ("%%", "%"),
        ("%{User-Agent}i", "Probe/1"), ("%{X-None}i", "-"),
    ],
)  # fmt: skip
def test_each_directive_of_the_manual_gives_what_it_says(directive, given):
    assert written(directive, IT) == given


def test_nothing_sent_and_nobody_signed_in_are_said_as_the_manual_has_it():
    bare = evolve(IT, sent=0, user="", query="")
    assert written("%b %B %u %q|%r", bare) == "0 - - |GET /devices HTTP/1.1"


def test_no_directive_gives_more_than_64_bytes_but_the_first_line_of_which_each_part_does():
    long = evolve(IT, path="/" + "p" * 100, query="q" * 100, header=lambda name: "é" * 60)
    assert len(written("%U", long)) == len(written("%q", long)) == 64
    assert len(written("%{Referer}i", long).encode()) <= 64
    assert written("%r", long) == f"GET /{'p' * 63}?{'q' * 63} HTTP/1.1"


def test_no_secret_is_ever_noted():
    line = written("%{Cookie}i %{Authorization}i %{cookie}i", IT)
    assert line == "… … …"


def test_nothing_a_visitor_sends_breaks_a_line_or_steers_a_terminal():
    bad = evolve(IT, path='/a"b\\', header=lambda name: "x\r\ny\x1b[31m\u2028z")
    assert written('"%U" %{User-Agent}i', bad) == '"/a\\x22b\\x5c" x\\x0d\\x0ay\\x1b[31m?z'


@pytest.mark.parametrize(
    ("text", "fault"), [(DEFAULT_FORMAT, ""), ("%h %z", "%z"), ("%{a b}i", "%{a b}i"), ("100 %", "%"), ("%%", "")]
)
def test_a_directive_there_is_none_of_is_named(text, fault):
    assert format_fault(text) == fault


def test_only_the_last_lines_are_kept_and_clearing_them_leaves_the_counts():
    log = HttpLog()
    for number in range(60):
        log.answered(200)
        log.note(f"line {number}", 50)
    assert log.lines() == tuple(f"line {number}" for number in range(10, 60))
    assert log.size() == 50 * len("line 10\n")
    log.shorten(5)
    assert len(log.lines()) == 5
    log.clear()
    assert log.lines() == ()
    assert dict(log.counts())["200 - OK"] == 60


def test_the_counts_have_the_manuals_labels_in_its_order():
    log = HttpLog()
    for status in (200, 200, 400, 401, 404, 408, 413, 501, 303, 500):
        log.answered(status)
    assert log.counts() == [
        ("Rx Bytes", 0), ("Tx Bytes", 0), ("200 - OK", 2), ("400 - Bad Request", 1),
        ("401 - Authorization Required", 1), ("404 - Not Found", 1), ("408 - Request Timeout", 1),
        ("413 - Request Too Large", 1), ("501 - Not Implemented", 1), ("Status Unknown", 2), ("Work Queue Full", 0),
        ("Socket Error", 0), ("Memory Error", 0),
    ]  # fmt: skip
