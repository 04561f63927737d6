import re
import tomllib

import pytest
from twisted.internet.task import Clock

from concentrator.api import LineState
from concentrator.line.trace import Traced
from concentrator.model.trouble import Trouble
from concentrator.profile.catalogue import Catalogue
from concentrator.web.access import Role
from concentrator.web.route import COOKIE
from tests.support.pages import words_of
from tests.support.web import NOW, FakeBox, Visit

PROFILE = Catalogue().get("energycm/ccm")
FAST = PROFILE.evidence[0]
LATE = Trouble("The device did not answer in time: nothing came within 150 ms", "no_reply")
SILENT = b"\x02\x03\x00\x00\x00\x01\x84\x39"


@pytest.fixture
def box():
    box = FakeBox()
    counters = {"requests": 12480, "answers": 12400, "timeouts": 80, "turnaround_mean_s": 0.0123}
    stations = {
        "1": {"requests": 6240, "answers": 6240, "turnaround_mean_s": 0.0123},
        "9": {"requests": 7, "timeouts": 7},
    }
    box.lines = [
        LineState("native", "serial:/dev/x", True, "", counters, "native", stations, utilisation=0.63, round_s=2.94)
    ]
    box.owners = {1: ("main", PROFILE)}
    box.exchanges = [
        Traced(NOW - 2, NOW - 1.8812, 1, FAST.request, FAST.response, ""),
        Traced(NOW - 1, NOW - 0.85, 2, SILENT, b"", LATE),
    ]
    return box


@pytest.fixture
def page(box, site):
    """A page's status and its HTML with plain spaces."""

    def page(path="/lines/native", **request):
        found = box.as_(Role.VIEWER, site, path, **request)
        return found.status, re.sub(r"[\u00a0\u202f]|&nbsp;", " ", found.text)

    return page


def test_the_overview_a_devices_page_and_the_page_of_all_lines_lead_to_the_page_of_a_line(page):
    for path in ("/devices", "/devices/main", "/lines"):
        assert 'href="/lines/native"' in page(path)[1]
    assert page()[0] == 200


def test_the_page_says_first_how_the_line_does(page):
    text = words_of(page()[1])
    assert "native works well: 100 % of the requests are answered, on average after 12 ms." in text
    assert "Open · 12 480 requests · 99.3 % answered · 80 timed out" in text
    assert "Wire serial:/dev/x Answered 99.3 % Mean answer time 12 ms Used, last minute 63 %" in text
    assert "Round of fast values 2.9 s" in text
    assert "native funciona bien: se responde el 100 % de las peticiones" in words_of(page(accept_language="es")[1])


def test_all_lines_stand_together_each_with_its_verdict(box, page):
    gone = Trouble("/dev/y: the port is not there", "unplugged", port="/dev/y")
    box.lines.append(LineState("ext", "serial:/dev/y", False, gone))
    text = words_of(page("/lines")[1])
    assert "native Open native works well" in text and "Devices 2" in text
    assert "ext Not open The adapter of ext is unplugged. Plug it in; reading starts by itself." in text
    box.lines = []
    assert "No lines. Add one to the configuration." in words_of(page("/lines")[1])


def test_every_station_has_its_counters_and_the_way_to_its_device(page):
    _, html = page()
    rows = [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", html)
    ]
    assert rows == [
        ["1", "main", "6240", "6240", "0", "0", "0", "0", "0", "0", "12 ms"],
        ["9", "—", "7", "0", "7", "0", "0", "0", "0", "0", "—"],
    ]
    assert '<a href="/devices/main">main</a>' in html


def exchanges(html):
    """The exchanges on a page, as HTML."""
    listed = html.partition('<ol class="trace"')[2].partition("</ol>")[0]
    return re.findall(r"<li.*?</li>", listed, flags=re.S)


def test_the_last_exchanges_are_shown_newest_first_with_time_words_bytes_gap_and_verdict(page):
    newest, oldest = exchanges(page()[1])
    assert words_of("<main><p>" + newest) == (
        "> 10:41:06.000 ID 2 · read 1 holding register at 0x0000 · 150.0 ms · Gap 881.2 ms "
        "→ sent 02 03 00 00 00 01 84 39 No answer in time."
    )
    assert "10:41:05.000 ID 1 main · read 52 holding registers at 0x0100 · 118.8 ms · Gap —" in words_of(
        "<main" + oldest
    )
    assert FAST.response.hex(" ").upper() in oldest
    assert 'data-kind="no_reply"' in newest and 'data-kind=""' in oldest
    assert "Sin respuesta a tiempo." in page(accept_language="es")[1]


def test_the_trace_can_be_narrowed_to_one_id_or_to_what_went_wrong(page):
    assert len(exchanges(page("/lines/native?id=1")[1])) == 1
    (bad,) = exchanges(page("/lines/native?errors=on")[1])
    assert 'data-id="2"' in bad
    html = page("/lines/native?id=1&errors=on")[1]
    assert exchanges(html) == [] and "No exchange fits the filter." in words_of(html)
    assert "<option selected>1</option>" in html and re.search(r'name="errors"[^>]* checked', html)


def test_of_a_long_trace_the_page_has_the_newest_fifty_and_the_file_all(box, site, page):
    box.exchanges = [Traced(NOW - 200 + n, NOW - 199.9 + n, 1, FAST.request, FAST.response, "") for n in range(200)]
    assert len(exchanges(page()[1])) == 50
    assert box.as_(Role.VIEWER, site, "/lines/native/trace.txt").text.count("  > ") == 200


def test_the_newest_exchanges_come_by_the_stream_though_no_reading_does(box):
    clock = Clock()
    site = box.site(clock)
    visitor = Visit(site)
    visitor.ask("/live?of=%3Atrace.native", cookie=f"{COOKIE}={box.keys[Role.VIEWER]}")
    visitor.frames()
    box.exchanges = [*box.exchanges, Traced(NOW, NOW + 0.1, 2, SILENT, b"", "")]
    clock.advance(1)
    rows = dict(visitor.frames())["cells"][":trace"]["rows"]
    assert [row["at"] for row in rows] == ["10:41:07.000", "10:41:06.000", "10:41:05.000"]
    visitor.end()
    assert not clock.getDelayedCalls()


def test_the_trace_can_be_taken_away_as_text(box, site):
    found = box.as_(Role.VIEWER, site, "/lines/native/trace.txt")
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


def test_the_trace_can_be_taken_away_as_evidence(box, site):
    (evidence,) = tomllib.loads(box.as_(Role.VIEWER, site, "/lines/native/evidence.toml").text)["evidence"]
    assert evidence["values"] == FAST.values
    assert evidence["source"] == "captured on 2026-11-21T09:41:05Z, line native, Modbus ID 1"


def test_a_line_that_is_not_there_is_404_with_a_way_back(page):
    for path in ("/lines/nobody", "/lines/nobody/trace.txt", "/lines/nobody/evidence.toml", "/lines/native/more"):
        status, html = page(path)
        assert status == 404
        assert "No such page" in html and 'href="/devices"' in html


def test_what_came_over_the_wire_and_what_people_typed_is_shown_as_text(box, page):
    evil = '"><script>alert(1)</script>'
    box.lines = [LineState(evil, evil, False, evil, stations={"1": {}})]
    box.owners = {1: (evil, PROFILE)}
    box.exchanges = [Traced(NOW, NOW, 1, b"\x01", b"\x02", evil)]
    status, html = page("/lines/%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E")
    assert status == 200 and "<script>alert" not in html


def test_an_empty_line_says_so(box, site, page):
    box.lines, box.exchanges = [LineState("native", "serial:x", False)], []
    text = words_of(page()[1])
    assert "Opening · nothing asked yet" in text
    assert "Nobody was asked yet." in text and "Nothing was asked yet." in text
    assert box.as_(Role.VIEWER, site, "/lines/native/trace.txt").text == "nothing was asked yet\n"


def test_a_line_that_is_not_read_says_why(box, page):
    box.lines = [LineState("native", "serial:x", True, suspended="devices are being linked")]
    assert "Meters are being linked" in words_of(page()[1])
