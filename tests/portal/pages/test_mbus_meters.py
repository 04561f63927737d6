"""Services › M-Bus › Meters: searched for, added, and read at once."""

import pytest

from concentrator.api import LineState
from concentrator.model.errors import NoReply, WrongArguments
from concentrator.portal.mbus_cells import medium_of, search_cells, slug
from concentrator.portal.telegrams import plain, telegram_views
from concentrator.portal.words import say_in
from concentrator.portal.words import words as words_in
from concentrator.web.access import Role
from concentrator.wire.mbus_units import MEDIA
from tests.support.mbus_box import TELEGRAM, MbusBox, found
from tests.support.pages import Page
from tests.support.web import device

METERS, ADD, TELEGRAM_PATH = "/services/mbus/meters", "/services/mbus/add", "/services/mbus/telegram"
HEAT = "?line=heat"
ANY = "FFFFFFFF-*-*-*"
WHOLE = "12345678-KAM-08-04"


@pytest.fixture
def box(tmp_path):
    box = MbusBox(tmp_path)
    box.devices = [
        device("main"),
        device("flat", line="heat", address=5, protocol="MBUS", model="KAM 08", selected=""),
        device("flat2", line="heat", address=253, protocol="MBUS", model="", selected=WHOLE),
    ]
    return box


@pytest.fixture
def go(box, site):
    def go(path=METERS, **request):
        return box.as_(request.pop("role", Role.INSTALLER), site, path, **request)

    return go


def words(answer):
    return Page(answer).words.replace("\u00a0", " ")


# -- searching


def test_the_meters_of_the_line_are_listed_each_with_its_address(go):
    said = words(go())
    assert "Meters read on line heat: 2." in said and "Main" not in said
    assert "Flat 5 · KAM 08 Read now Flat" in said and f"Flat2 {WHOLE} Read now Flat2" in said
    assert "Meters read on line far: 0." in words(go(METERS + "?line=far"))


def test_what_a_search_costs_is_told_before_it_begins(go):
    assert "By primary address: 251 addresses, about 1 min." in words(go())


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"by": "secondary", "mask": ""}, ("heat", False, ANY)),
        ({"by": "secondary", "mask": "12FFFFFF"}, ("heat", False, "12FFFFFF-*-*-*")),
        ({"by": "primary", "mask": "12FFFFFF"}, ("heat", True, ANY)),
    ],
)
def test_a_search_is_begun_as_it_was_asked_for(box, go, fields, asked):
    answer = go(fields=fields)
    assert (answer.status, answer.headers["location"], box.asked) == (303, METERS + HEAT, [asked])


def test_hits_are_shown_as_they_come_each_with_the_way_on(box, go):
    go(fields={"by": "secondary"})
    assert "0 % searched, 0 found so far. Nothing found yet." in words(go())
    box.tasks.all()[-1].tell(
        0.4, "…", [found(known="flat2"), found("99-no", primary=7), found("", primary=9, medium="")]
    )
    html = go().text
    said = words(go())
    assert "40 % searched, 3 found so far." in said
    assert f"{WHOLE}: Flat2, known Data 99-no, primary 7: KAM heat (outlet) Add primary 9: KAM Add" in said
    assert 'href="/services/mbus/add?line=heat&amp;address=99-no&amp;primary=7"' in html
    assert 'data-events="/live?of=%3Ambus-search.' in html


def test_a_search_can_be_stopped_and_what_was_found_stays(box, go):
    go(fields={"by": "primary"})
    task = box.tasks.all()[-1]
    task.tell(0.5, "…", [found()])
    assert f'value="{task.id}"' in go().text
    assert go("/services/mbus/stop", fields={"task": task.id, "line": "heat"}).headers["location"] == METERS + HEAT
    said = words(go())
    assert "Stopped. What was found so far stays." in said and f"{WHOLE}: KAM heat (outlet) Add" in said
    assert "Search again" in said
    go("/services/mbus/stop", fields={"task": "gone", "line": "heat"})
    assert "task gone" in words(go())


def test_the_search_of_one_line_is_not_shown_at_another(go):
    go(fields={"by": "primary"})
    assert "found so far" not in words(go(METERS + "?line=far"))


def test_what_speaks_against_a_search_is_told(go):
    html = go(fields={"by": "secondary", "mask": "12"}).text
    assert 'id="f-mask-fault"' in html and 'value="12"' in html
    go(fields={"by": "primary"})
    assert "line heat is being searched" in words(go(fields={"by": "primary"}))


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"state": "done", "result": [found()]}, "The search is over: 1 found."),
        ({"state": "failed", "error": {"message": "the line is lost"}}, "The search failed: the line is lost"),
    ],
)
def test_how_it_ended_is_told(task, said):
    known = {"name": "mbus.search heat", "result": None, "error": None, "progress": 1.0}
    assert search_cells(known | task, {}, say_in("en"))[":search.said"]["text"] == said


def test_a_meter_that_is_not_quite_understood_says_why():
    task = {"name": "mbus.search heat", "state": "running", "progress": 0.5, "error": None}
    hit = found("", primary=3, manufacturer="", medium="", trouble="Two answer at once.")
    (row,) = search_cells(task | {"result": [hit]}, {}, say_in("en"))[":search.rows"]["rows"]
    assert row["text"] == "primary 3: answers. Two answer at once"


# -- adding


@pytest.mark.parametrize(
    ("query", "chosen", "address"),
    [
        (f"&address={WHOLE}", WHOLE, WHOLE),
        (f"&address={WHOLE}&primary=7", "7", 7),
        (f"&address={WHOLE}&primary=0", WHOLE, WHOLE),
        ("&primary=0", "0", 0),
    ],
)
def test_a_hit_is_added_by_the_address_that_is_its_own(box, go, query, chosen, address):
    page = go(ADD + HEAT + query)
    assert f'value="{chosen}" selected' in page.text
    answer = go(ADD + HEAT + query, fields={"address": chosen, "alias": "Flat 3 ñ"})
    assert (answer.status, answer.headers["location"]) == (303, METERS + HEAT)
    uid, section = box.asked[-1]
    assert (uid, {key: section[key] for key in ("line", "profile", "address", "alias")}) == (
        "flat-3-n",
        {"line": "heat", "profile": "mbus/generic", "address": address, "alias": "Flat 3 ñ"},
    )
    assert "Flat 3 ñ was added at 10:41." in words(go())


def test_what_speaks_against_a_meter_is_told_and_what_was_typed_stays(box, go):
    box.refused = WrongArguments("primary address 7 on heat is flat's")
    html = go(f"{ADD}{HEAT}&primary=7", fields={"address": "7", "alias": "Mine"}).text
    assert "primary address 7 on heat is flat" in html and 'value="Mine"' in html


def test_nothing_is_added_that_was_not_found(go):
    for query in ("", "&primary=251", "&primary=x"):
        assert go(ADD + HEAT + query).status == 404
        assert go(ADD + HEAT + query, fields={"address": "1"}).status == 404


# -- reading


def test_a_telegram_is_shown_decoded_and_as_bytes(box, go):
    answer = go(TELEGRAM_PATH + HEAT, fields={"address": WHOLE})
    assert (answer.status, answer.headers["location"]) == (303, f"{TELEGRAM_PATH}{HEAT}&address={WHOLE}")
    assert box.asked == [("heat", WHOLE)]
    said = words(go(answer.headers["location"]))
    assert "Read at 10:41:07." in said and "Flat2" in said
    assert f"{WHOLE}, heat (outlet); access 42, status 14. Power low. Temporary error." in said
    assert "539 kWh tariff 1 8C 10 06 39 05 00 00" in said
    assert "The maker's own: 01 02" in said
    assert bytes(TELEGRAM).hex(" ").upper() in said


def test_a_telegram_is_shown_once_and_only_at_its_line(go):
    address = go(TELEGRAM_PATH + HEAT, fields={"address": "5"}).headers["location"]
    assert "Telegram 1" in words(go(address)) and "Telegram 1" not in words(go(address))
    go(TELEGRAM_PATH + HEAT, fields={"address": "5"})
    assert "Telegram 1" not in words(go(TELEGRAM_PATH + "?line=far"))


@pytest.mark.parametrize("address", ["5", "x"])
def test_why_a_meter_could_not_be_read_is_told(box, go, address):
    box.said = NoReply("nobody answers at 5")
    page = go(go(TELEGRAM_PATH + HEAT, fields={"address": address}).headers["location"])
    assert 'role="alert"' in page.text and f'value="{address}"' in page.text
    assert ("obody answers at 5" in words(page)) is (address == "5")


def test_records_say_what_they_are_of():
    record = {"name": "t", "label": "flow temperature", "value": 21.5, "unit": "°C", "storage": 1, "tariff": 0}
    record |= {"subunit": 2, "function": "at error", "notes": ["stale"], "trouble": "", "hex": "01"}
    told = {"address": "", "medium": "", "access": 1, "status": 0, "state": [], "records": [record], "rest": ""}
    (view,) = telegram_views([told | {"hex": "68"}], "es")
    (row,) = view.records
    assert (row.value, row.more) == ("21,5", "en error, memoria 1, subunidad 2, stale")
    assert view.said == "No dice quién es; acceso 1, estado 00."


def test_a_value_keeps_every_digit_it_came_with():
    assert [plain(each, "en") for each in (None, 1.23456, 12480, "2026-11-21")] == [
        "—",
        "1.23456",
        "12480",
        "2026-11-21",
    ]
    assert plain(1.5, "es") == "1,5" and plain("1.5", "es") == "1.5"


@pytest.mark.parametrize("language", ["en", "es"])
def test_everything_that_meters_measure_has_its_words(language):
    known = words_in(language)
    assert {f"medium.{slug(medium)}" for medium in MEDIA.values()} <= known.keys()
    assert medium_of("E5", say_in(language)) == "E5"


def test_the_page_of_a_meter_leads_to_its_telegram(box, go):
    box.devices = [device("flat", line="heat", profile="mbus/generic", address=253, selected=WHOLE), device("main")]
    html = go("/devices/flat").text
    assert f'href="/services/mbus/telegram?line=heat&amp;address={WHOLE}"' in html and f"<dd>{WHOLE}</dd>" in html
    assert "/services/mbus/telegram" not in go("/devices/flat", role=Role.VIEWER).text
    assert "/services/mbus/telegram" not in go("/devices/main").text


# -- who may, and where


def test_a_viewer_neither_searches_nor_reads(box, go):
    for path in (METERS, TELEGRAM_PATH, f"{ADD}{HEAT}&primary=7"):
        assert go(path, role=Role.VIEWER).status == 403
        assert go(path, role=Role.VIEWER, fields={"by": "primary", "address": "7"}).status == 403
    assert box.asked == []


def test_a_line_that_is_no_m_bus_has_no_meters(box, go):
    for path in (METERS, TELEGRAM_PATH, ADD):
        assert go(f"{path}?line=native&primary=7").status == 404
        assert go(f"{path}?line=native&primary=7", fields={"address": "7"}).status == 404
    box.lines = [LineState("native", "serial:/dev/ttyUSB1", True, role="native")]
    assert "No line of this box is an M-Bus." in words(go())


def test_another_task_is_no_search(box, go):
    task = box.tasks.start("scan heat", lambda tell: box.works[-1])
    assert "found so far" not in words(go())
    assert go(f"/live?of=%3Ambus-search.{task.id}").status == 404
