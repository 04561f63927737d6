import re

import pytest
from twisted.internet.task import Clock

from tests.support.web import VALUES, FakeBox, device, visit


@pytest.fixture
def box():
    return FakeBox()


@pytest.fixture
def site(box):
    clock = Clock()
    yield box.site(clock)
    assert not clock.getDelayedCalls()


def page(site, path="/"):
    """A page's status and its HTML with plain spaces."""
    found = visit(site, path)
    return found.status, re.sub(r"[\u00a0\u202f]|&nbsp;", " ", found.text)


def words(html):
    """The words of a page in reading order, without what is hidden."""
    html = re.sub(r"<(\w+)[^>]* hidden>.*?</\1>", "", html, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())


def test_the_sentence_comes_first_then_lines_uplinks_and_devices(site):
    status, html = page(site)
    text = words(html)
    places = [
        text.index(said)
        for said in (
            "As of 10:41:07",
            "2 of 2 devices answer. Newest value 2 s ago.",
            "native Open serial:/dev/ttyUSB0:baudrate=9600",
            "mqtt Connected since 10:31 mqtt://127.0.0.1:1883 0 waiting",
            "Main 2 s ago",
            "Workshop 2 s ago",
            "running for 3 h 12 min",
        )
    ]
    assert status == 200
    assert places == sorted(places)


def test_a_card_says_everything_about_a_device_and_links_to_its_page(site):
    _, html = page(site)
    assert (
        "Main 2 s ago active power −1.24 kW voltage L1 230.1 V active energy imported 12 480.35 kWh "
        "CcM4 · 0420020081 · MB_RTU_CCM · ID 1 · FW 0x2C06 Last data 10:41:05 on native" in words(html)
    )
    assert 'href="/devices/main"' in html


def test_devices_with_trouble_come_first_then_by_line_and_id(box, site):
    box.devices = [
        device("a", line="b", address=1),
        device("b", line="a", address=9),
        device("c", line="a", address=2),
        device("d", line="z", address=3, health="silent", trouble="No answer since 10:34."),
    ]
    assert re.findall(r'href="/devices/(\w+)"', page(site)[1]) == ["d", "c", "b", "a"]


def test_what_was_not_measured_is_a_dash_and_never_a_zero(box, site):
    box.devices = [device("main", health="new", at=None, values={})]
    for path in ("/", "/devices/main"):
        _, html = page(site, path)
        shown = re.findall(r'data-show="(?:readout|text)"[^>]*>([^<]*)<', html)
        assert "—" in shown and not [text for text in shown if re.match(r"0(\.0+)?\b(?! waiting)", text)]


def test_a_silent_device_shows_its_trouble_and_what_it_said_last(box, site):
    box.devices = [device("roof", health="silent", trouble="No answer since 10:34: 3 of 3 tries timed out.")]
    text = words(page(site)[1])
    assert "No answer since 10:41 active power — last −1.24 kW" in text
    assert "No answer since 10:34: 3 of 3 tries timed out." in text


def test_names_people_typed_are_shown_as_text(box, site):
    evil = '"><script>alert(1)</script><b>x</b>'
    box.devices = [device(evil, alias=evil, serial=evil, model=evil, firmware=evil, line=evil, trouble=evil)]
    for path in ("/", "/devices/%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E%3Cb%3Ex%3C%2Fb%3E"):
        status, html = page(site, path)
        assert status == 200
        assert "<script>alert" not in html and "<b>x" not in html
        assert "&lt;b&gt;x&lt;/b&gt;" in html


@pytest.mark.parametrize("uid", ["cellar.4", "a b", "a/b", "ñ", "50%", "?", "#1"])
def test_any_short_id_has_a_page(box, site, uid):
    box.devices = [device(uid)]
    address = re.search(r'class="button" href="(/devices/[^"]+)"', page(site)[1])[1]
    status, html = page(site, address)
    assert status == 200
    assert "<h1>" + uid.capitalize() + "</h1>" in html


def test_a_devices_page_has_every_variable_with_label_value_unit_and_age(box, site):
    box.change("main", at=box.wall.at - 90, values={"pf": 0.5})
    status, html = page(site, "/devices/main")
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


def test_a_device_that_is_not_there_is_404_with_a_way_back(site):
    for path in ("/devices/nobody", "/nothing", "/devices/main/more"):
        status, html = page(site, path)
        assert status == 404
        assert "No such page" in html and 'href="/"' in html


def test_devices_without_a_name_is_the_overview(site):
    for path in ("/devices", "/devices/"):
        found = visit(site, path)
        assert (found.status, found.headers["location"]) == (302, "/")


def test_an_empty_box_says_what_is_missing(box, site):
    box.devices, box.lines, box.uplinks = [], [], []
    text = words(page(site)[1])
    assert "No devices yet: the configuration names none." in text
    assert "No lines: the configuration names none." in text
    assert "No uplinks are enabled. Data stays on the box." in text


def test_a_clock_that_is_not_set_is_said(box, site):
    box.wall.trusted = False
    assert "As of 10:41:07 (the clock is not set yet)" in words(page(site)[1])


def test_the_page_loads_nothing_from_elsewhere_and_its_own_files_are_there(site):
    _, html = page(site)
    loaded = re.findall(r'(?:src|href)="([^"#]+)', html)
    assert all(address.startswith("/") for address in loaded)
    for address in {address for address in loaded if address.startswith("/static/")}:
        assert visit(site, address.replace("&amp;", "&")).status == 200
    assert "style=" not in html and "onclick" not in html


def test_thirty_three_devices_fit_the_budget(box, site):
    box.devices = [device(f"d{n}", address=n, values=VALUES | {"p": 100.0 * n, "v1": 230 + n / 10}) for n in range(33)]
    packed = visit(site, "/", accept_encoding="gzip")
    assert int(packed.headers["content-length"]) <= 8 * 1024
    for name, most in (("portal.css", 10), ("live.js", 9), ("icons.svg", 3.5), ("readout.woff2", 3)):
        assert int(visit(site, f"/static/{name}", accept_encoding="gzip").headers["content-length"]) <= most * 1024
