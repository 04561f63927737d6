"""The Devices pages in a real browser: live values, adding, linking, scanning, the trace of a line."""

import pytest
import pytest_twisted
from attrs import evolve

from concentrator.api import LineState
from concentrator.line.trace import Traced
from concentrator.model.trouble import Trouble
from concentrator.poll.link_news import Linked
from concentrator.portal.numbers import ago
from concentrator.web import events
from tests.support.axe import findings
from tests.support.devices_box import METER, DevicesBox, found, identified, probed
from tests.support.web import MADRID, NOW, device

ASKED = bytes.fromhex("0203000000018439")


@pytest.fixture
def box():
    return DevicesBox()


CARD = "article[data-cell='main:health']"


@pytest_twisted.ensureDeferred
async def test_values_and_health_change_on_the_page_without_loading_it_again(served):
    await served.open("/devices")
    assert await served.text(f"{CARD} .readout") == "−1.24 kW"
    await served.browser.evaluate("void (window.same = true)")
    served.box.change("main", values={"p": 860.0})
    await served.browser.until(f"document.querySelector(\"{CARD} .readout\")?.textContent === '860\\u00a0W'")
    served.box.change("main", health="silent", tries=("no_reply",) * 3)
    await served.browser.until(f"document.querySelector(\"{CARD}\").dataset.health === 'silent'")
    assert await served.text(f"{CARD} .badge") == "No answer since 10:41"
    assert await served.text(f"{CARD} .readout") == "—"
    assert await served.text(f"{CARD} .last") == "last 860 W"
    assert (await served.text(f"{CARD} .trouble")).startswith("No answer since 10:41: 3 of 3 tries timed out.")
    assert (await served.text(".lead")).startswith("1 of 2 devices answer, 1 silent. Newest value ")
    await served.browser.until("document.getElementById('notice').textContent")
    assert await served.text("#notice") == "Main: No answer since 10:41"
    assert await served.browser.evaluate("window.same")


@pytest.mark.parametrize("language", ["en", "es"])
@pytest_twisted.ensureDeferred
async def test_ages_are_the_boxs_whatever_the_clock_of_the_visitor_says(served, language):
    ages = (100, 4000, 30 * 3600, 400 * 86400)
    served.box.devices = [device(f"d{age}", at=NOW - age) for age in ages]
    await served.open("/devices", language=language)
    # What the server drew is drawn anew by the script at once.
    await served.browser.evaluate("document.querySelectorAll('.badge span').forEach((e) => { e.textContent = '' })")
    await served.browser.until("[...document.querySelectorAll('.badge span')].every((e) => e.textContent)")
    for age in ages:
        shown = await served.browser.evaluate(
            f"document.querySelector(\"[data-cell='d{age}:health'] .badge span\").textContent"
        )
        assert shown == ago(NOW - age, NOW, MADRID, language)


@pytest.mark.parametrize(
    ("language", "lost", "age", "back"),
    [
        ("en", "Live values stopped at 10:4", "1 min ago", "Values are live again."),
        ("es", "Valores en vivo detenidos a las 10:4", "hace 1 min", "Los valores vuelven a estar en vivo."),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_page_that_hears_nothing_says_so_and_its_ages_go_on_growing(
    served, monkeypatch, language, lost, age, back
):
    await served.open("/devices", language=language)
    await served.listening()
    monkeypatch.setattr(events, "READERS_MOST", 0)
    served.port.factory.stopFactory()
    # The page's own clock is put forward instead of waiting for two heartbeats.
    await served.browser.evaluate(
        "void ((real) => { performance.now = () => real() + 90000 })(performance.now.bind(performance))"
    )
    await served.browser.until("document.getElementById('notice').dataset.tone === 'lost'")
    assert (await served.text("#notice")).startswith(lost)
    # A heartbeat that was on its way may have come after the clock was put forward; none comes any more.
    await served.browser.evaluate(
        "void ((real) => { performance.now = () => real() + 60000 })(performance.now.bind(performance))"
    )
    older = [age.replace(" ", "\u00a0"), age.replace("1", "2").replace(" ", "\u00a0")]
    badge = f'document.querySelector("{CARD} .badge").textContent'
    await served.browser.until(f"{older!r}.includes({badge})")
    monkeypatch.undo()
    served.box.change("main", values={"p": 860.0})
    await served.browser.until(f"document.querySelector(\"{CARD} .readout\")?.textContent === '860\\u00a0W'")
    assert await served.text("#notice") == back
    # Being refused is what this test is about; the browser notes it.
    assert all("503" in error for error in served.browser.errors)
    served.browser.errors.clear()


@pytest_twisted.ensureDeferred
async def test_pausing_stops_everything_that_moves_until_live_is_pressed_again(served):
    await served.open("/devices")
    await served.listening()
    await served.browser.evaluate("document.getElementById('live').click()")
    assert (await served.text("#notice")).startswith("Paused at 10:41:")
    assert await served.browser.evaluate("document.getElementById('live').getAttribute('aria-pressed')") == "false"
    served.box.change("main", values={"p": 1.0})
    await served.browser.evaluate("new Promise((done) => setTimeout(done, 1200))")
    assert await served.text(f"{CARD} .readout") == "−1.24 kW"
    await served.browser.evaluate("document.getElementById('live').click()")
    await served.browser.until(f"document.querySelector(\"{CARD} .readout\")?.textContent === '1\\u00a0W'")


@pytest_twisted.ensureDeferred
async def test_a_page_without_scripts_is_complete_and_offers_to_read_again(served):
    await served.open("/devices", script=False)
    assert await served.text(f"{CARD} .readout") == "−1.24 kW"
    assert await served.text(".as-of") == "As of 10:41:07"
    assert await served.browser.evaluate("document.getElementById('live').hidden")
    served.box.change("main", values={"p": 860.0})
    await served.browser.evaluate("location.assign(document.querySelector('.again').href)")
    await served.browser.until(f"document.querySelector(\"{CARD} .readout\")?.textContent === '860\\u00a0W'")


@pytest_twisted.ensureDeferred
async def test_the_needle_of_a_tile_follows_its_value(served):
    await served.open("/devices/main")
    needle = "document.querySelector('.needle').getAttribute('transform')"
    assert await served.browser.evaluate(needle) == "translate(50 0)"
    served.box.change("main", values={"v1": 264.5})
    await served.browser.until(f"{needle} === 'translate(100 0)'")
    served.box.change("main", health="silent")
    await served.browser.until("document.querySelector('.needle').hasAttribute('hidden')")


def pages_of(box):
    """A box in all states of freshness with something on every page, and the addresses of these."""
    box.every_state()
    box.devices += [device("x", alias="W" * 64, health="silent", tries=("no_reply",) * 3, serial="9" * 40)]
    box.devices += [device("b", alias="<b>x</b>")]
    counters = {"requests": 12_480_000, "answers": 12_400_000, "bytes_in": 12_480_000}
    box.lines[0] = evolve(box.lines[0], stations={"247": counters}, counters=counters)
    box.exchanges = [Traced(NOW, NOW + 1, 1, b"r" * 8, b"x" * 255, Trouble("The answer is damaged", "garbled"))]
    box.linking.state = evolve(
        box.linking.state,
        is_on=True,
        state="assigning",
        seconds_left=582.0,
        code="collision",
        found=(Linked(METER, 3), Linked("0" * 40, 5, True)),
        in_hand=Linked("0420020119", 6),
    )
    box.tasks.get(box._task("scan ext")).tell(0.4, "…", [found(9, serial="9" * 40), found(100, known="roof")])
    box.answers["device.probe"] = probed()
    return (
        "/devices",
        "/devices/ccm",
        "/devices/external",
        "/devices/x",
        "/devices/heat/config",
        "/devices/x/delete",
        "/devices/add?q=goodwe",
        "/devices/add?profile=goodwe/et&port=ext",
        "/devices/catalogue",
        "/devices/catalogue/goodwe/et",
        "/devices/link",
        "/devices/scan",
        "/lines",
        "/lines/native",
    )


@pytest_twisted.ensureDeferred
async def test_no_page_scrolls_sideways_on_the_smallest_phone_in_any_language(served):
    for path in pages_of(served.box):
        for theme, language in (("light", "en"), ("dark", "es")):
            await served.open(path, width=320, height=800, theme=theme, language=language)
            wide = await served.browser.evaluate("document.documentElement.scrollWidth")
            assert wide <= 320, f"{path} in {language}"


@pytest_twisted.ensureDeferred
async def test_axe_finds_nothing_on_any_page(served):
    for path in pages_of(served.box):
        for theme, language, width in (("light", "en", 390), ("dark", "es", 1280)):
            await served.open(path, width=width, height=844, theme=theme, language=language)
            assert await findings(served.browser) == [], f"{path}, {theme}"


@pytest_twisted.ensureDeferred
async def test_what_people_named_is_shown_as_text_and_wrapped(served):
    pages_of(served.box)
    await served.open("/devices/ccm", width=390)
    names = await served.browser.evaluate("[...document.querySelectorAll('[data-name]')].map((e) => e.textContent)")
    assert "<b>x</b>" in names and "W" * 64 in names


@pytest_twisted.ensureDeferred
async def test_everything_on_the_page_is_reached_by_keyboard_and_seen_to_be(served):
    await served.open("/devices")
    reached = set()
    for _ in range(24):
        await served.press("Tab", 9)
        outline, name = await served.browser.evaluate(
            "[getComputedStyle(document.activeElement).outlineWidth, document.activeElement.textContent.trim()]"
        )
        if name == await served.browser.evaluate("document.body.textContent.trim()"):
            break
        assert outline == "3px"
        reached.add(name)
    assert {"Skip to content", "Live", "View CcM", "Link meters", "Data of Main", "Config of Workshop"} <= reached


# -- adding


@pytest_twisted.ensureDeferred
async def test_a_device_is_found_by_typing_chosen_by_keyboard_detected_and_saved(served):
    served.box.answers["device.probe"] = probed()
    await served.open("/devices/add", width=390, height=844)
    await served.browser.evaluate("document.getElementById('q').focus()")
    await served.type("goodwe")
    await served.browser.until("document.querySelectorAll('#q-options [role=option]').length === 3")
    assert await served.text("[data-count]") == "3 found"
    assert await served.browser.evaluate("document.getElementById('q').getAttribute('aria-expanded')") == "true"
    for _ in range(3):
        await served.press("ArrowDown", 40)
    marked = "document.getElementById(document.getElementById('q').getAttribute('aria-activedescendant'))"
    assert "GW5K-ET" in await served.browser.evaluate(f"{marked}.textContent")
    await served.browser.evaluate("void (window.old = true)")
    await served.press("Enter", 13)
    await served.browser.until("!window.old && document.readyState === 'complete'")
    assert "Model GW5K-ET" in await served.seen(".cascade")
    await served.browser.evaluate("void (document.querySelector('[name=id]').value = '100')")
    await served.browser.evaluate("void (document.querySelector('[name=alias]').value = 'Roof')")
    await served.send("button[value=detect]")
    assert "GW5K-ET answered at ID 100: 3.10 kW, 231.0 V. Values look right?" in await served.seen("#detected")
    assert await served.browser.evaluate("document.querySelector('[name=alias]').value") == "Roof"
    await served.send("button[value=save]")
    section = {"line": "ext", "profile": "goodwe/et", "address": 100, "alias": "Roof"}
    assert served.box.asked[-1] == ("device.add", {"uid": "roof", **section})
    assert "Roof was added at 10:41." in await served.seen()


@pytest_twisted.ensureDeferred
async def test_escape_closes_the_list_and_then_empties_the_box(served):
    await served.open("/devices/add")
    await served.browser.evaluate("document.getElementById('q').focus()")
    await served.type("goodwe")
    await served.browser.until("!document.getElementById('q-options').hidden")
    await served.press("Escape", 27)
    assert await served.browser.evaluate("document.getElementById('q-options').hidden")
    assert await served.browser.evaluate("document.getElementById('q').value") == "goodwe"
    await served.press("Escape", 27)
    assert await served.browser.evaluate("document.getElementById('q').value") == ""


@pytest_twisted.ensureDeferred
async def test_a_device_is_added_without_scripts_too(served):
    served.box.answers["device.probe"] = probed()
    await served.open("/devices/add", script=False)
    await served.browser.evaluate("void (document.getElementById('q').value = 'goodwe et')")
    await served.send(".search button")
    await served.send(".hits a")
    await served.browser.evaluate("void (document.querySelector('[name=id]').value = '100')")
    await served.send("button[value=detect]")
    assert "answered at ID 100" in await served.seen("#detected")
    await served.send("button[value=save]")
    assert served.box.asked[-1][0] == "device.add"


@pytest_twisted.ensureDeferred
async def test_step_by_step_without_scripts_each_level_is_a_list_with_next(served):
    await served.open("/devices/add", script=False)
    for value in ("inverter", "GoodWe", "hybrid"):
        await served.browser.evaluate(f"void (document.getElementById('level').value = {value!r})")
        await served.send(".cascade form:last-of-type button")
    assert "Brand GoodWe" in await served.seen(".cascade")
    assert await served.browser.evaluate("document.getElementById('level').name") == "model"


@pytest_twisted.ensureDeferred
async def test_who_is_there_comes_to_the_page_that_waits_for_it(served):
    await served.open("/devices/add?port=ext&id=100")
    await served.send("button[value=detect]")
    assert "Asking…" in await served.seen("#detected")
    await served.listening()
    served.box.works[-1].callback(identified())
    await served.until_text("#detected", "GW5K-ET answered at ID 100")
    await served.send("#detected .hits a")
    assert "Brand GoodWe" in await served.seen(".cascade")


# -- linking


@pytest_twisted.ensureDeferred
async def test_each_meter_is_seen_to_arrive(served):
    link = served.box.linking
    await served.open("/devices/link", width=390, height=844)
    await served.send("form button.first")
    assert "Press the black button on one meter" in await served.seen()
    await served.listening()
    await served.browser.evaluate("void (window.same = true)")
    link.state = evolve(link.state, state="assigning", in_hand=Linked(METER, 3))
    await served.until_text(".rows", "giving it ID 3, checking that it answers…")
    served.box.devices = [device("ccm-1", serial=METER, quality="suspended", address=3)]
    link.state = evolve(link.state, state="looking", in_hand=None, found=(Linked(METER, 3),))
    await served.until_text(".rows", f"{METER} — new, got ID 3")
    assert await served.browser.evaluate("document.querySelector('.rows a').pathname") == "/devices/ccm-1/config"
    assert await served.text("[role=status][data-cell=':link.aloud']") == f"{METER} — new, got ID 3"
    link.state = evolve(link.state, code="collision", state="collision")
    await served.until_text(".link > .trouble", "Two meters answered at once.")
    link.state = evolve(link.state, code="")
    await served.browser.until("document.querySelector('.link > .trouble').hidden")
    assert await served.browser.evaluate("window.same")
    await served.send("form button.first")
    assert "Reading again. First values: 0 of 1." in await served.seen()
    await served.listening()
    served.box.devices = [device("ccm-1", serial=METER, address=3)]
    await served.until_text(".link", "First values: 1 of 1.")
    await served.send(".actions a")
    assert await served.text(".mark-new") == "new"


@pytest_twisted.ensureDeferred
async def test_link_mode_entered_at_the_box_is_shown_at_once(served):
    await served.open("/devices/link")
    await served.listening()
    served.box.linking.start()
    await served.until_text("main", "Link mode is on.")
    served.box.linking.stop()
    await served.until_text("main", "Reading stops while you link.")


@pytest_twisted.ensureDeferred
async def test_a_lost_connection_says_that_linking_goes_on_at_the_box(served, monkeypatch):
    served.box.linking.start()
    await served.open("/devices/link")
    await served.listening()
    monkeypatch.setattr(events, "READERS_MOST", 0)
    served.port.factory.stopFactory()
    await served.browser.evaluate(
        "void ((real) => { performance.now = () => real() + 90000 })(performance.now.bind(performance))"
    )
    await served.until_text("#notice", "Connection lost. Linking goes on at the box; its blue LED is the truth.")
    assert all("503" in error for error in served.browser.errors)
    served.browser.errors.clear()


@pytest_twisted.ensureDeferred
async def test_without_scripts_link_mode_shows_what_happened_when_asked(served):
    link = served.box.linking
    await served.open("/devices/link", script=False)
    await served.send("form button.first")
    link.state = evolve(link.state, found=(Linked(METER, 3),))
    await served.send("a[data-without-script]")
    assert f"{METER} — new, got ID 3" in await served.seen()
    await served.send("form[action$=finish] button")
    assert not link.state.is_on


# -- scanning, and the lines


@pytest_twisted.ensureDeferred
async def test_hits_of_a_scan_come_one_by_one_each_with_add(served):
    await served.open("/devices/scan")
    await served.send("form button.first")
    await served.listening()
    task = served.box.tasks.all()[-1]
    task.tell(0.1, "…", [found(9, profiles=["goodwe/et"])])
    await served.until_text(".rows", "ID 9: goodwe/et")
    task.tell(0.2, "…", [found(9, profiles=["goodwe/et"]), found(12)])
    await served.until_text(".rows", "ID 12: answers")
    served.box.works[-1].callback([found(9), found(12)])
    await served.until_text("main", "All IDs were asked: 2 found.")
    await served.browser.until("document.querySelector('.rows a')")
    await served.send(".rows a")
    assert await served.browser.evaluate("document.querySelector('[name=id]').value") == "9"


@pytest_twisted.ensureDeferred
async def test_the_counters_of_a_line_go_on_rising_on_its_page(served):
    counted = [
        LineState("native", "serial:x", True, "", {"requests": n}, stations={"1": {"requests": n}}) for n in (7, 8)
    ]
    served.box.lines = counted[:1]
    await served.open("/lines/native")
    cell = "[data-cell=':line.native.at.1.requests']"
    assert await served.text(cell) == "7"
    served.box.lines = counted[1:]
    served.box.change("main", values={"p": 1.0})
    await served.browser.until(f"document.querySelector(\"{cell}\").textContent === '8'")


@pytest_twisted.ensureDeferred
async def test_exchanges_come_through_the_filter_and_stop_while_the_trace_is_paused(served):
    late = Trouble("The device did not answer in time.", "no_reply")
    served.box.exchanges = [Traced(NOW, NOW + 0.1, 2, ASKED, ASKED, "")]
    await served.open("/lines/native")
    await served.listening()
    count = "document.querySelectorAll('.trace li').length"
    await served.browser.until(f"{count} === 1")
    served.box.exchanges = [*served.box.exchanges, Traced(NOW + 1, NOW + 1.1, 3, ASKED, b"", late)]
    await served.browser.until(f"{count} === 2")
    assert "No answer in time." in await served.seen(".trace li")
    await served.browser.evaluate("document.getElementById('pause').focus()")
    await served.press(" ", 32)
    await served.browser.until("document.getElementById('pause').getAttribute('aria-pressed') === 'true'")
    served.box.exchanges = [*served.box.exchanges, Traced(NOW + 2, NOW + 2.1, 2, ASKED, ASKED, "")]
    await served.browser.evaluate("new Promise((done) => setTimeout(done, 2200))")
    assert await served.browser.evaluate(count) == 2
    await served.press(" ", 32)
    await served.browser.until(f"{count} === 3")
    await served.browser.evaluate("void (document.getElementById('f-errors').checked = true)")
    served.box.exchanges = [*served.box.exchanges, Traced(NOW + 3, NOW + 3.1, 2, ASKED, ASKED, "")]
    served.box.exchanges = [*served.box.exchanges, Traced(NOW + 4, NOW + 4.1, 9, ASKED, b"", late)]
    await served.browser.until(f"{count} === 4")
    assert "ID 9" in await served.seen(".trace li")


@pytest.mark.parametrize("path", ["/devices/main/config", "/devices/main/delete"])
@pytest_twisted.ensureDeferred
async def test_the_forms_of_a_device_work_without_scripts(served, path):
    served.box.devices = [device("main", profile="energycm/ccm")]
    await served.open(path, script=False)
    if path.endswith("config"):
        await served.browser.evaluate("void (document.querySelector('[name=alias]').value = 'Cellar')")
        await served.send("form.form button[type=submit]")
        assert served.box.asked == [("device.change", {"uid": "main", "alias": "Cellar"})]
        assert "Saved at 10:41." in await served.seen()
    else:
        await served.send("button.danger")
        assert served.box.asked == [("device.remove", {"uid": "main"})]
