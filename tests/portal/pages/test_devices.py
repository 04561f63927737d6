import re

import pytest

from concentrator.model.trouble import Trouble
from concentrator.web.access import Role
from tests.support.devices_box import DevicesBox
from tests.support.pages import words_of
from tests.support.web import VALUES, device, visit


@pytest.fixture
def box():
    return DevicesBox()


@pytest.fixture
def page(box, site):
    """A page's status and its HTML with plain spaces."""

    def page(path="/devices", role=Role.VIEWER, **request):
        found = box.as_(role, site, path, **request)
        return found.status, re.sub(r"[\u00a0\u202f]|&nbsp;", " ", found.text)

    return page


def links(html):
    return re.findall(r'class="button" href="(/devices/[^"]+)"', html)


def test_the_sentence_comes_first_then_lines_uplinks_the_box_and_devices(page):
    status, html = page()
    text = words_of(html)
    places = [
        text.index(said)
        for said in (
            "As of 10:41:07",
            "2 of 2 devices answer. Newest value 2 s ago.",
            "native Open serial:/dev/ttyUSB0:baudrate=9600",
            "mqtt Connected since 10:31 mqtt://127.0.0.1:1883 0 waiting",
            "CcMaster PRO This box PRO · 4220080001 · FW 0.1.0",
            "Main 2 s ago",
            "Workshop 2 s ago",
            "running for 3 h 12 min",
        )
    ]
    assert status == 200
    assert places == sorted(places)


def test_a_card_says_everything_about_a_device_and_links_to_its_page(page):
    _, html = page()
    assert (
        "Main 2 s ago active power −1.24 kW voltage L1 230.1 V current L1 5.42 A "
        "CcM4 · 0420020081 · MB_RTU_CCM · ID 1 · FW 0x2C06 Last data 10:41:05 on native" in words_of(html)
    )
    assert links(html) == ["/devices/main", "/devices/workshop"]


def test_a_card_is_in_the_visitors_language(page):
    text = words_of(page(accept_language="es")[1])
    assert "Responden 2 de 2 equipos. Último valor hace 2 s." in text
    assert (
        "Main hace 2 s potencia activa −1,24 kW tensión L1 230,1 V corriente L1 5,42 A "
        "CcM4 · 0420020081 · MB_RTU_CCM · ID 1 · FW 0x2C06 Últimos datos 10:41:05 en native Datos" in text
    )


def test_who_may_not_set_up_is_offered_nothing_of_it(page):
    assert "Link meters" not in page()[1] and "/config" not in page()[1]
    html = page(role=Role.INSTALLER)[1]
    assert "Link meters" in html and 'href="/devices/main/config"' in html


def test_devices_with_trouble_come_first_then_by_line_and_id(box, page):
    box.devices = [
        device("a", line="b", address=1),
        device("b", line="a", address=9),
        device("c", line="a", address=2),
        device("d", line="z", address=3, health="silent"),
    ]
    assert links(page()[1]) == ["/devices/d", "/devices/c", "/devices/b", "/devices/a"]


def test_secondaries_stand_behind_their_principal_and_go_with_it(box, page):
    box.devices = [
        device("behind2", address=5, secondary=2, health="silent"),
        device("first", address=2),
        device("behind1", address=5, secondary=1),
        device("principal", address=5),
    ]
    html = page()[1]
    assert links(html) == ["/devices/principal", "/devices/behind1", "/devices/behind2", "/devices/first"]
    assert html.count('<li class="behind">') == 2 and "ID 5.2" in html


def test_the_two_views_have_each_their_devices_and_their_lines(box, page):
    box.every_state()
    assert set(links(page("/devices/external")[1])) == {"/devices/roof", "/devices/pool"}
    ccm = page("/devices/ccm")[1]
    assert "/devices/main" in links(ccm) and "/devices/roof" not in links(ccm)
    assert 'href="/lines/native"' in ccm and 'href="/lines/ext"' not in ccm


def test_all_seven_states_of_freshness_are_told_apart_by_shape_and_words(box, page):
    box.every_state()
    html = page()[1]
    badges = re.findall(r'<p class="badge".*?data-health="(\w+)".*?#(\w+)".*?</p>', html)
    assert {health for health, _ in badges} == {
        "answering",
        "doubtful",
        "silent",
        "clash",
        "partial",
        "new",
        "paused",
    }
    assert all(health == icon for health, icon in badges)
    for said in ("Stale 48 s", "No answer since 10:29", "Other meter at ID 7", "Partial, 2 s ago", "Not read yet"):
        assert said in words_of(html)
    assert "Paused since 10:40" in words_of(html)


def test_an_unplugged_line_is_told_once_and_leaves_no_value_behind(box, page):
    gone = Trouble("/dev/ttyUSB0: the port is not there", "unplugged", port="/dev/ttyUSB0")
    box.lines = [type(box.lines[0])("native", "serial:/dev/ttyUSB0", False, gone)]
    text = words_of(page()[1])
    assert text.count("The adapter of native is unplugged. Plug it in; reading starts by itself.") == 1
    assert text.count("Its line, native, is not there: see the line.") == 2
    assert "active power — last −1.24 kW voltage L1 — last 230.1 V" in text


def test_what_was_not_measured_is_a_dash_and_never_a_zero(box, page):
    box.devices = [device("main", health="new", at=None, values={})]
    for path in ("/devices", "/devices/main"):
        _, html = page(path)
        shown = re.findall(r'data-show="(?:readout|text)"[^>]*>([^<]*)<', html)
        assert "—" in shown and not [text for text in shown if re.match(r"0(\.0+)?\b(?! waiting)", text)]


def test_a_meter_that_was_just_linked_is_marked_as_new(box, page):
    box.devices = [device("a", serial="0420020117"), device("b", serial="0420020118")]
    html = page("/devices/ccm?linked=0420020117")[1]
    assert html.count('class="mark-new"') == 1 and "A new 2 s ago" in words_of(html)


def test_names_people_typed_are_shown_as_text(box, page):
    evil = '"><script>alert(1)</script><b>x</b>'
    box.devices = [device(evil, alias=evil, serial=evil, model=evil, firmware=evil, line=evil, trouble=evil)]
    address = "/devices/%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E%3Cb%3Ex%3C%2Fb%3E"
    for path in ("/devices", address, f"{address}/config", f"{address}/delete"):
        status, html = page(path, Role.INSTALLER)
        assert status == 200
        assert "<script>alert" not in html and "<b>x" not in html
        assert "&lt;b&gt;x&lt;/b&gt;" in html


@pytest.mark.parametrize("uid", ["cellar.4", "a b", "a/b", "ñ", "50%", "?", "#1", "add", "ccm", "~add"])
def test_any_short_id_has_a_page(box, page, uid):
    box.devices = [device(uid)]
    (address,) = links(page()[1])
    status, html = page(address)
    assert status == 200
    assert "<h1>" + uid.capitalize() + "</h1>" in html


def test_a_devices_page_has_every_variable_with_label_value_unit_and_age(box, page):
    box.change("main", at=box.wall.at - 90, values={"pf": 0.5})
    status, html = page("/devices/main")
    rows = [
        tuple(re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row))
        for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", html)
    ]
    assert status == 200
    assert rows == [
        ("i1 current L1", "current L1", "5.42", "A", "2 s ago"),
        ("v1 voltage L1", "voltage L1", "230.1", "V", "2 s ago"),
        ("p active power", "active power", "−1.24", "kW", "2 s ago"),
        ("pf power factor", "power factor", "0.50", "", "1 min ago"),
        ("ea_imp active energy imported", "active energy imported", "12 480.35", "kWh", "2 s ago"),
    ]
    assert 'class="needle"' in html and 'transform="translate(50 0)"' in html


def test_the_newest_values_can_be_taken_away_as_plain_csv(box, site):
    box.devices = [device("a b", values={"p": -1240.0, "v1": "=1+1"})]
    found = box.as_(Role.VIEWER, site, "/devices/a%20b/values.csv", accept_language="es")
    assert found.headers["content-type"] == "text/csv; charset=utf-8"
    assert found.headers["content-disposition"] == "attachment; filename*=UTF-8''a%20b.csv"
    assert found.text.splitlines() == [
        "variable,label,value,unit,at",
        "i1,current L1,,A,",
        "v1,voltage L1,'=1+1,V,2026-11-21T09:41:05Z",
        "p,active power,-1240.0,W,2026-11-21T09:41:05Z",
        "pf,power factor,,,",
        "ea_imp,active energy imported,,kWh,",
    ]


def test_a_device_that_is_not_there_is_404_with_a_way_back(page):
    for path in ("/devices/nobody", "/nothing", "/devices/main/more", "/devices/nobody/values.csv"):
        status, html = page(path)
        assert status == 404
        assert "No such page" in html and 'href="/devices"' in html


def test_whoever_has_not_signed_in_sees_nothing(site):
    paths = ("", "/ccm", "/main", "/main/values.csv", "/main/config", "/catalogue", "/add", "/link", "/scan")
    for path in ("/lines", *(f"/devices{path}" for path in paths)):
        found = visit(site, path)
        assert (found.status, found.headers["location"].partition("?")[0]) == (303, "/login")


def test_the_page_of_the_box_leads_on(page):
    status, _ = page("/")
    assert status == 303


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/devices", "No devices yet. Link meters, or add an inverter or analyser."),
        ("/devices/ccm", "No meters yet. The one on NDsp appears by itself; link the others."),
        ("/devices/external", "No external devices yet. Add an inverter or analyser."),
    ],
)
def test_an_empty_page_says_what_to_do_next(box, page, path, said):
    box.devices = []
    text = words_of(page(path)[1])
    assert said in text and "CcMaster PRO" in text


def test_a_clock_that_is_not_set_is_said(box, page):
    box.wall.trusted = False
    assert "As of 10:41:07 (the clock is not set yet)" in words_of(page()[1])


def test_the_page_loads_nothing_from_elsewhere_and_its_own_files_are_there(box, site, page):
    for path in ("/devices", "/devices/add", "/devices/link", "/devices/scan", "/lines/native"):
        _, html = page(path, Role.INSTALLER)
        loaded = re.findall(r'(?:src|href)="([^"#]+)', html)
        assert all(address.startswith("/") for address in loaded)
        for address in {address for address in loaded if address.startswith("/static/")}:
            assert visit(site, address.replace("&amp;", "&")).status == 200
        assert "style=" not in html and "onclick" not in html


def test_thirty_three_devices_fit_the_budget(box, site):
    box.devices = [device(f"d{n}", address=n, values=VALUES | {"p": 100.0 * n, "v1": 230 + n / 10}) for n in range(33)]
    packed = box.as_(Role.INSTALLER, site, "/devices/ccm", accept_encoding="gzip")
    assert int(packed.headers["content-length"]) <= 8 * 1024
    scripts = ("live.js", "rows.js", "trace.js", "choose.js")
    sizes = {
        name: int(visit(site, f"/static/{name}", accept_encoding="gzip").headers["content-length"])
        for name in ("portal.css", "icons.svg", "readout.woff2", *scripts)
    }
    assert sizes["portal.css"] <= 10 * 1024 and sizes["icons.svg"] <= 3.5 * 1024 and sizes["readout.woff2"] <= 3 * 1024
    assert sum(sizes[name] for name in scripts) <= 9 * 1024
