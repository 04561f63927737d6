import re
from datetime import datetime
from html import unescape

import pytest

from concentrator.model.reading import Quality
from concentrator.web.access import Role
from concentrator.web.pages import STATIC
from tests.support.past_box import PERIOD_S, PastBox
from tests.support.web import MADRID, NOW, FakeBox, device

END = int(NOW) // PERIOD_S * PERIOD_S
DAY = 86_400


@pytest.fixture
def box():
    return PastBox()


def seen(answer):
    text = re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2])
    return " ".join(unescape(text).replace("\u00a0", " ").replace("\u202f", " ").split())


def rows(answer):
    table = answer.text.partition("<tbody>")[2].partition("</tbody>")[0]
    found = re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.S)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in found]
    return [[unescape(cell).replace("\u00a0", " ").replace("\u202f", " ") for cell in row] for row in cells]


def test_the_last_day_of_the_first_devices_power_is_shown_first(box, site):
    box.fill("main", END - 2 * DAY, END, lambda end: 100.0)
    answer = box.as_(Role.VIEWER, site, "/history")
    assert answer.status == 200
    assert rows(answer)[0] == ["20 Nov, 10:45", "100"]
    assert rows(answer)[-1] == ["10:40", "100"]
    assert "20 Nov, 10:41 to 21 Nov, 10:41, stored every 5 min." in seen(answer)
    assert "About 288 rows." in seen(answer)
    assert '<th scope="col" class="number">active power [W]</th>' in answer.text


def test_a_day_of_25_hours_has_all_of_them_and_its_gap_says_why(box, site):
    first = int(datetime(2026, 10, 25, tzinfo=MADRID).timestamp())
    gap = (first + 2 * 3600, first + 4 * 3600, Quality.SILENT)
    box.fill("main", first, first + 25 * 3600, lambda end: 100.0, [gap])
    answer = box.as_(Role.VIEWER, site, "/history?device=main&variable=p&from=2026-10-25&to=2026-10-25")
    found = rows(answer)
    assert len(found) == 25 * 12 - 24 + 1
    assert found[0][0] == "25 Oct, 00:05 CEST"
    assert found[-1][0] == "26 Oct, 00:00 CET"
    assert found[24] == ["No data 25 Oct, 02:00 CEST to 25 Oct, 03:00 CET: the device did not answer."]
    assert "0" not in {row[1] for row in found if len(row) > 1}, "what was not measured is not zero"


def test_long_ranges_are_means_and_say_so(box, site):
    box.fill("main", END - 8 * DAY, END, lambda end: 100.0)
    answer = box.as_(Role.VIEWER, site, "/history?device=main&variable=p&from=2026-11-14&to=2026-11-20")
    assert "stored every 5 min. 30 min means." in seen(answer)
    assert len(rows(answer)) == 7 * 48
    hourly = box.as_(Role.VIEWER, site, "/history?device=main&variable=p&from=2026-11-14&to=2026-11-20&step=3600")
    assert len(rows(hourly)) == 7 * 24


def test_several_devices_and_variables_stand_beside_each_other(box, site):
    box.fill("main", END - DAY, END, lambda end: 100.0)
    box.fill("workshop", END - DAY, END, lambda end: 2000.0)
    answer = box.as_(Role.VIEWER, site, "/history?device=main&device=workshop&variable=p&variable=v1")
    assert rows(answer)[0][1:] == ["230.1", "230.1", "0.10", "2.00"]
    assert "Workshop: active power [kW]" in seen(answer)


def test_the_range_goes_earlier_later_closer_and_wider_by_links(box, site):
    box.fill("main", END - 2 * DAY, END, lambda end: 100.0)
    answer = box.as_(Role.VIEWER, site, "/history?device=main&variable=p&from=2026-11-20&to=2026-11-20")
    links = {
        said.split()[0]: unescape(address)
        for address, said in re.findall(r'href="(/history\?[^"]*)"[^>]*>(?:<svg.*?</svg>)?([^<]+)', answer.text)
    }
    assert "from=2026-11-19T00%3A00&to=2026-11-20T00%3A00" in links["Earlier"]
    assert "from=2026-11-21T00%3A00&to=2026-11-22T00%3A00" in links["Later"]
    assert "from=2026-11-20T06%3A00&to=2026-11-20T18%3A00" in links["Closer"]
    assert all(box.as_(Role.VIEWER, site, address).status == 200 for address in links.values())


def test_what_is_taken_away_is_what_is_shown(box, site):
    box.fill("main", END - DAY, END, lambda end: 100.0)
    answer = box.as_(Role.VIEWER, site, "/history?device=main&variable=p&from=2026-10-25&to=2026-10-25")
    assert "/api/v1/history?" not in answer.text, "nothing was stored then"
    answer = box.as_(Role.VIEWER, site, "/history?device=main&variable=p&from=2026-11-20&to=2026-11-20")
    (address,) = (unescape(each) for each in re.findall(r'href="(/api/v1/history\?[^"]*format=csv)"', answer.text))
    assert address == (
        "/api/v1/history?device=main&variable=p&from=2026-11-20T00%3A00%3A00%2B01%3A00"
        "&to=2026-11-21T00%3A00%3A00%2B01%3A00&format=csv"
    )


def test_there_is_nothing_later_than_now(box, site):
    box.fill("main", END - DAY, END, lambda end: 100.0)
    box.wall.at += 0.9
    assert 'rel="next"' not in box.as_(Role.VIEWER, site, "/history").text


def test_a_variable_that_is_never_stored_hides_none_of_the_others(box, site):
    box.fill("main", END - DAY, END, lambda end: 100.0)
    answer = box.as_(Role.VIEWER, site, "/history?device=main&variable=pf&variable=p&variable=v1")
    assert rows(answer)[0][1:] == ["230.1", "100"]
    assert "variable=pf" not in answer.text.partition("/api/v1/history?")[2].partition('"')[0]


def test_a_text_is_not_offered(box, site):
    box.devices = [device("main", values={"p": 1.0, "pf": "inductive"})]
    answer = box.as_(Role.VIEWER, site, "/history?device=main&variable=pf")
    assert 'value="pf"' not in answer.text and 'value="v1"' in answer.text


def test_of_more_lines_than_can_be_told_apart_the_first_are_shown_and_it_is_said(box, site):
    for uid in ("main", "workshop"):
        box.fill(uid, END - DAY, END, lambda end: 100.0)
    answer = box.as_(Role.VIEWER, site, "/history?device=main&device=workshop&variable=p&variable=v1&variable=ea_imp")
    assert len(rows(answer)[0]) == 1 + 5
    assert "Shown are the first 5 lines; the download has all." in seen(answer)


def test_a_range_that_is_none_is_told_and_the_last_day_shown(box, site):
    box.fill("main", END - DAY, END, lambda end: 100.0)
    answer = box.as_(Role.VIEWER, site, "/history?from=%3Cb%3E&to=2026-11-20")
    assert answer.status == 200
    assert "The range was not taken: found &#34;&lt;b&gt;&#34; to &#34;2026-11-20&#34;." in answer.text
    assert "20 Nov, 10:41 to 21 Nov, 10:41" in seen(answer)


@pytest.mark.parametrize("language", ["en", "es"])
def test_words_where_storing_is_off_and_where_there_is_nothing(box, site, language):
    answer = box.as_(Role.VIEWER, site, "/history", accept_language=language)
    assert ("Nothing was stored of this" if language == "en" else "De esto no se guardó nada") in seen(answer)
    box.fill("main", END - 2 * DAY, END - 2 * DAY + 600, lambda end: 1.0)
    box.kept = False
    answer = box.as_(Role.VIEWER, site, "/history", accept_language=language)
    if language == "en":
        words = "Storing is off. Switch it on in Settings › Historic; nothing before that moment can be shown."
    else:
        words = "El registro está apagado. Actívelo en Ajustes › Histórico; lo anterior no se podrá mostrar."
    assert words in seen(answer)


def test_strange_arguments_do_no_harm(box, site):
    box.fill("main", END - DAY, END, lambda end: 100.0)
    for query in (
        "device=nobody",
        "variable=x",
        "step=7",
        "step=600&from=2020-01-01",
        "step=x",
        "device=main&variable=pf",
    ):
        assert box.as_(Role.VIEWER, site, f"/history?{query}").status == 200, query
        assert box.as_(Role.VIEWER, site, f"/history/data?{query}").status == 200, query


def test_the_charts_data_are_the_tables(box, site):
    box.fill("main", END - DAY, END, lambda end: 2000.0)
    found = box.as_(Role.VIEWER, site, "/history/data?device=main&variable=p").json
    (plot,) = found["plots"]
    assert (plot["unit"], plot["lines"][0]["label"], found["zone"], found["alone"]) == (
        "kW",
        "active power",
        "Europe/Madrid",
        True,
    )
    assert {value for value in plot["lines"][0]["value"] if value is not None} == {2.0}
    assert found["times"][-1] == "10:45" and len(found["ends"]) == len(found["times"])


def test_a_devices_page_has_the_chart_of_its_last_day(box, site):
    box.devices = [device("work shop")]
    answer = box.as_(Role.VIEWER, site, "/devices/work%20shop")
    assert 'data-source="/history/data?device=work%20shop&amp;variable=p"' in answer.text
    assert '<option value="p" selected>active power [W]</option>' in answer.text


def test_without_what_draws_them_there_are_tables_only(box, site, clock, monkeypatch):
    monkeypatch.setattr("concentrator.web.pages.StaticFiles.has", lambda self, name: False)
    box.fill("main", END - DAY, END, lambda end: 100.0)
    answer = box.as_(Role.VIEWER, box.site(clock), "/history")
    assert "figure" not in answer.text and "chart.js" not in answer.text
    assert rows(answer)


def test_a_box_without_a_past_has_no_such_page(clock):
    box = FakeBox()
    site = box.site(clock)
    assert box.as_(Role.VIEWER, site, "/history").status == 404
    assert 'href="/history"' not in box.as_(Role.VIEWER, site, "/devices").text


def test_no_devices_no_questions(box, site):
    box.devices = []
    assert "No devices yet." in seen(box.as_(Role.VIEWER, site, "/history"))


def test_a_first_visit_with_a_chart_is_small(box, site):
    box.fill("main", END - DAY, END, lambda end: float(end % 7919))
    page = box.as_(Role.VIEWER, site, "/history")
    brought = set(re.findall(r'(?:href|src|data-script|data-style)="(/static/[^"#]+)', page.text))
    assert sum("uPlot" in address for address in brought) == 2
    addresses = ["/history", "/history/data", *sorted(brought)]
    answers = [box.as_(Role.VIEWER, site, address, accept_encoding="gzip") for address in addresses]
    font = (STATIC / "readout.woff2").stat().st_size
    assert sum(int(answer.headers["content-length"]) for answer in answers) + font < 60_000
