import re
import tomllib

import pytest
from twisted.internet.task import Clock

from concentrator.api import LineState
from concentrator.line.trace import Traced
from concentrator.profile.catalogue import Catalogue
from tests.support.web import NOW, FakeBox, visit

PROFILE = Catalogue().get("energycm/ccm")
FAST = PROFILE.evidence[0]
SILENT = b"\x02\x03\x00\x00\x00\x01\x84\x39"


@pytest.fixture
def box():
    box = FakeBox()
    counters = {"requests": 12480, "answers": 12400, "timeouts": 80, "bytes_out": 99840}
    stations = {"1": {"requests": 6240, "answers": 6240}, "9": {"requests": 7, "timeouts": 7}}
    box.lines = [
        LineState("native", "serial:/dev/x", True, "", counters, "native", stations, utilisation=0.63, round_s=2.94)
    ]
    box.owners = {1: ("main", PROFILE)}
    box.exchanges = [
        Traced(NOW - 2, NOW - 1.8812, 1, FAST.request, FAST.response, ""),
        Traced(NOW - 1, NOW - 0.85, 2, SILENT, b"", "The device did not answer in time: nothing came within 150 ms"),
    ]
    return box


@pytest.fixture
def site(box):
    clock = Clock()
    yield box.site(clock)
    assert not clock.getDelayedCalls()


def page(site, path="/lines/native"):
    """A page's status and its HTML with plain spaces."""
    found = visit(site, path)
    return found.status, re.sub(r"[\u00a0\u202f]|&nbsp;", " ", found.text)


def words(html):
    """The words of a page in reading order, without what is hidden."""
    html = re.sub(r"<(\w+)[^>]* hidden>.*?</\1>", "", html, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())


def test_the_overview_and_a_devices_page_lead_to_the_page_of_a_line(site):
    for path in ("/", "/devices/main"):
        assert 'href="/lines/native"' in page(site, path)[1]
    assert page(site)[0] == 200


def test_the_page_says_how_the_line_does_as_a_whole(site):
    text = words(page(site)[1])
    assert "Open · 12 480 requests · 99.3 % answered · 80 timed out" in text
    assert "Wire serial:/dev/x Used, last minute 63 % Round of fast values 2.9 s" in text


def test_every_station_has_its_counters_and_the_way_to_its_device(site):
    _, html = page(site)
    rows = [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", html)
    ]
    assert rows == [
        ["1", "main", "6240", "6240", "0", "0", "0", "0", "0", "0"],
        ["9", "—", "7", "0", "7", "0", "0", "0", "0", "0"],
    ]
    assert '<a href="/devices/main">main</a>' in html


def test_the_last_exchanges_are_shown_newest_first_with_time_words_bytes_and_verdict(site):
    _, html = page(site)
    newest, oldest = re.findall(r"<li.*?</li>", html.partition('<ol class="trace"')[2], flags=re.S)
    assert words("<main" + newest) == (
        "10:41:06.000 ID 2 · read 1 holding register at 0x0000 · 150.0 ms → sent 02 03 00 00 00 01 84 39 "
        "The device did not answer in time: nothing came within 150 ms"
    )
    assert "10:41:05.000 ID 1 main · read 52 holding registers at 0x0100 · 118.8 ms" in words("<main" + oldest)
    assert FAST.response.hex(" ").upper() in oldest
    assert 'class="bad"' in newest and 'class="bad"' not in oldest


def test_of_a_long_trace_the_page_has_the_newest_fifty_and_the_file_all(box, site):
    box.exchanges = [Traced(NOW - 200 + n, NOW - 199.9 + n, 1, FAST.request, FAST.response, "") for n in range(200)]
    assert page(site)[1].count('class="bytes"') == 2 * 50
    assert visit(site, "/lines/native/trace.txt").text.count("  > ") == 200


def test_the_trace_can_be_taken_away_as_text(site):
    found = visit(site, "/lines/native/trace.txt")
    assert found.headers["content-type"] == "text/plain; charset=utf-8"
    assert found.headers["content-disposition"] == "attachment; filename*=UTF-8''native.txt"
    assert found.headers["cache-control"] == "no-store"
    assert found.text.splitlines()[0] == (
        "2026-11-21 10:41:05.000  ID 1 (main)  read 52 holding registers at 0x0100  118.8 ms"
    )
    assert found.text.splitlines()[-4:] == [
        "2026-11-21 10:41:06.000  ID 2  read 1 holding register at 0x0000  150.0 ms",
        "  > 02 03 00 00 00 01 84 39",
        "  < ",
        "  ! The device did not answer in time: nothing came within 150 ms",
    ]


def test_the_trace_can_be_taken_away_as_evidence(site):
    (evidence,) = tomllib.loads(visit(site, "/lines/native/evidence.toml").text)["evidence"]
    assert evidence["values"] == FAST.values
    assert evidence["source"] == "captured on 2026-11-21T09:41:05Z, line native, Modbus ID 1"


def test_a_line_that_is_not_there_is_404_with_a_way_back(site):
    for path in ("/lines/nobody", "/lines/nobody/trace.txt", "/lines/nobody/evidence.toml", "/lines/native/more"):
        status, html = page(site, path)
        assert status == 404
        assert "No such page" in html and 'href="/"' in html


def test_lines_without_a_name_is_the_overview(site):
    for path in ("/lines", "/lines/"):
        found = visit(site, path)
        assert (found.status, found.headers["location"]) == (302, "/")


def test_what_came_over_the_wire_and_what_people_typed_is_shown_as_text(box, site):
    evil = '"><script>alert(1)</script>'
    box.lines = [LineState(evil, evil, False, evil, stations={"1": {}})]
    box.owners = {1: (evil, PROFILE)}
    box.exchanges = [Traced(NOW, NOW, 1, b"\x01", b"\x02", evil)]
    status, html = page(site, "/lines/%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E")
    assert status == 200 and "<script>alert" not in html


def test_an_empty_line_says_so(box, site):
    box.lines, box.exchanges = [LineState("native", "serial:x", False)], []
    text = words(page(site)[1])
    assert "Opening · nothing asked yet" in text
    assert "Nobody was asked yet." in text and "Nothing was asked yet." in text
    assert visit(site, "/lines/native/trace.txt").text == "nothing was asked yet\n"


def test_a_line_that_is_not_read_says_why(box, site):
    box.lines = [LineState("native", "serial:x", True, suspended="devices are being linked")]
    assert "Devices are being linked" in words(page(site)[1])
