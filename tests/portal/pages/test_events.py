import csv
import re
from html import unescape
from io import StringIO

import pytest

from concentrator.api import Happened, LineState
from concentrator.model.trouble import Trouble
from concentrator.portal.pages import events
from concentrator.web.access import Role
from tests.support.past_box import PastBox
from tests.support.web import NOW, FakeBox, device


@pytest.fixture
def box():
    return PastBox()


def plain(html):
    text = re.sub(r"<[^>]+>", " ", html)
    return " ".join(unescape(text).replace("\u00a0", " ").replace("\u202f", " ").split())


def seen(answer):
    html = re.sub(r'<p class="new".*?</p>', "", answer.text.partition("<main")[2], flags=re.S)
    return plain(html)


def rows(answer):
    table = answer.text.partition("<tbody>")[2].partition("</tbody>")[0]
    return [plain(row) for row in re.findall(r"<tr>(.*?)</tr>", table, re.S)]


def test_nothing_to_report_is_said_with_since_when(box, site):
    assert "Nothing to report since 07:28." in seen(box.as_(Role.VIEWER, site, "/events"))
    spanish = box.as_(Role.VIEWER, site, "/events", accept_language="es")
    assert "Sin novedades desde 07:28." in seen(spanish)
    assert "Nothing is wrong now." in seen(box.as_(Role.VIEWER, site, "/events"))


def test_what_is_open_comes_first_and_is_counted_on_every_page(box, site):
    said = Trouble("The device did not answer in time", "no_reply")
    box.devices = [device("main"), device("shed", health="silent", trouble=said, tries=("no_reply",) * 3, address=2)]
    box.lines.append(LineState("ext", "serial:x", False, Trouble("x", "unplugged", port="x")))
    box.happen("device.lost", NOW - 60, "shed")
    text = seen(box.as_(Role.VIEWER, site, "/events"))
    places = [
        text.index(part)
        for part in (
            "Open now",
            "Trouble ext",
            "Trouble Shed No answer since",
            "What happened",
            "It does not answer any more.",
        )
    ]
    assert places == sorted(places)
    other = box.as_(Role.VIEWER, site, "/devices").text
    assert re.findall(r'data-cell=":open" data-show="text">(\d)<', other) == ["2", "2"], "in the menu and in the bar"
    box.devices, box.lines = [device("main")], box.lines[:1]
    assert (
        re.findall(r'data-cell=":open" data-show="text"( hidden)?>', box.as_(Role.VIEWER, site, "/devices").text)
        == [" hidden"] * 2
    )


def test_events_come_in_words_with_their_severity_source_and_time(box, site):
    box.happen("device.lost", NOW - 90_000, "main")
    box.happen("config.changed", NOW - 60, sections=["mqtt", "history"])
    box.happen("counter.reset", NOW - 30, "gone", counters={"ea_imp": {"from": 5, "to": 0}})
    assert rows(box.as_(Role.VIEWER, site, "/events")) == [
        "Warning 10:40 gone Counters were set back: ea_imp: 5 → 0.",
        "Note 10:40 This box Other settings are at work: mqtt, history.",
        "Trouble 20 Nov, 09:41 Main It does not answer any more.",
    ]


def test_repeats_fold(box, site):
    for i in range(14):
        box.happen("counter.reset", NOW - 3600 + i, "main", counters={"ea_imp": {"from": i, "to": 0}})
    box.happen("counter.reset", NOW - 60, "workshop", counters={})
    found = rows(box.as_(Role.VIEWER, site, "/events"))
    assert len(found) == 2
    assert found[1] == "Warning 09:41 Main Counters were set back: ea_imp: 13 → 0. ×14 since 09:41"


def test_filters_are_links_and_can_be_taken_back(box, site):
    box.happen("device.lost", NOW - 60, "main")
    box.happen("device.found", NOW - 30, "main")
    box.happen("line.lost", NOW - 20, line="native")
    answer = box.as_(Role.VIEWER, site, "/events?severity=trouble")
    assert [row.split()[0] for row in rows(answer)] == ["Trouble", "Trouble"]
    assert 'href="/events?severity=trouble&amp;device=main"' in answer.text
    both = box.as_(Role.VIEWER, site, "/events?severity=trouble&device=main")
    assert len(rows(both)) == 1
    assert "Only those of Main." in seen(both)
    assert 'href="/events?severity=trouble">Show all' in both.text
    assert "No event fits." in seen(box.as_(Role.VIEWER, site, "/events?device=workshop"))
    assert box.as_(Role.VIEWER, site, "/events?severity=awful").status == 404
    assert box.as_(Role.VIEWER, site, "/events?before=x").status == 404


def test_older_ones_are_on_further_pages(box, site):
    for i in range(130):
        box.happen(f"odd{i}.thing", NOW - 1000 + i, text=f"thing {i}")
    first = box.as_(Role.VIEWER, site, "/events")
    (address,) = re.findall(r'href="([^"]*)" rel="next"', first.text)
    second = box.as_(Role.VIEWER, site, unescape(address))
    assert len(rows(first)) == 100 and len(rows(second)) == 30
    assert rows(second)[-1].endswith("thing 0")
    assert "Open now" not in seen(second)


def test_what_strangers_wrote_is_shown_as_text(box, site):
    box.happen("something.new", NOW - 60, text="<script>x</script>", line="<b>y</b>")
    answer = box.as_(Role.VIEWER, site, "/events")
    assert "<script>x" not in answer.text and "<b>y" not in answer.text
    assert "<script>x</script>" in unescape(answer.text)


def test_as_a_file_they_have_all_their_facts_and_no_formulas(box, site):
    box.happen("device.lost", NOW - 60, "main", text="=1+1")
    box.happen("config.changed", NOW - 30, sections=["mqtt"])
    answer = box.as_(Role.VIEWER, site, "/events.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="4220080001_events.csv"'
    head, *found = csv.reader(StringIO(answer.text))
    assert head == ["time", "event", "severity", "device", "line", "text", "facts"]
    assert found == [
        ["2026-11-21T09:40:37Z", "config.changed", "note", "", "", "", '{"sections": ["mqtt"]}'],
        ["2026-11-21T09:40:07Z", "device.lost", "trouble", "main", "", "'=1+1", "{}"],
    ]
    assert len(list(csv.reader(StringIO(box.as_(Role.VIEWER, site, "/events.csv?severity=note").text)))) == 2
    assert box.as_(Role.VIEWER, site, "/events.csv?severity=awful").status == 400


def test_a_long_list_is_in_the_file_as_a_whole(box, site, monkeypatch):
    monkeypatch.setattr(events, "_AT_ONCE", 2)
    for i in range(7):
        box.happen("link.started", NOW - 60 + i, line="native")
    assert len(box.as_(Role.VIEWER, site, "/events.csv").text.splitlines()) == 8


def test_the_page_knows_up_to_which_event_it_was_drawn(box, site):
    box.recent = [Happened(7, NOW, "device.lost", {})]
    assert 'data-number="7"' in box.as_(Role.VIEWER, site, "/events").text


def test_a_box_that_keeps_no_events_has_no_such_page(clock):
    box = FakeBox()
    assert box.as_(Role.VIEWER, box.site(clock), "/events").status == 404
