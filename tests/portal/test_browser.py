"""The live page in a real browser."""

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint

from concentrator.api import LineState
from concentrator.line.trace import Traced
from concentrator.portal.numbers import ago
from concentrator.web import events
from tests.support.browser import Browser
from tests.support.web import MADRID, NOW, FakeBox, device


@pytest.fixture(scope="module")
def browser():
    browser = Browser(reactor)
    pytest_twisted.blockon(Deferred.fromCoroutine(browser.start()))
    yield browser
    pytest_twisted.blockon(Deferred.fromCoroutine(browser.stop()))


class Served:
    """A box with its page on a free port, and the ways to look at it."""

    def __init__(self, box, port, browser):
        self.box, self.port, self.browser = box, port, browser
        self.address = f"http://127.0.0.1:{port.getHost().port}"

    async def open(self, path="/", width=1280, height=800, theme="light", script=True):
        await self.browser.show(width, height, theme, script)
        await self.browser.open(self.address + path)
        if script:
            await self.browser.until("document.getElementById('live').hidden === false")

    async def text(self, selector):
        found = await self.browser.evaluate(f"document.querySelector({selector!r}).textContent")
        return found.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.fixture
def served(browser):
    box = FakeBox()
    endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
    port = pytest_twisted.blockon(endpoint.listen(box.site(reactor)))
    browser.errors.clear()
    yield Served(box, port, browser)
    pytest_twisted.blockon(Deferred.fromCoroutine(browser.leave()))
    pytest_twisted.blockon(port.stopListening())
    assert browser.errors == []


CARD = "article[data-cell='main:health']"


@pytest_twisted.ensureDeferred
async def test_values_and_health_change_on_the_page_without_loading_it_again(served):
    await served.open()
    assert await served.text(f"{CARD} .readout") == "−1.24 kW"
    await served.browser.evaluate("void (window.same = true)")
    served.box.change("main", values={"p": 860.0})
    await served.browser.until(f"document.querySelector(\"{CARD} .readout\")?.textContent === '860\\u00a0W'")
    served.box.change("main", health="silent", trouble="No answer since 10:41: 3 of 3 tries timed out.")
    await served.browser.until(f"document.querySelector(\"{CARD}\").dataset.health === 'silent'")
    assert await served.text(f"{CARD} .badge") == "No answer since 10:41"
    assert await served.text(f"{CARD} .readout") == "—"
    assert await served.text(f"{CARD} .last") == "last 860 W"
    assert await served.text(f"{CARD} .trouble") == "No answer since 10:41: 3 of 3 tries timed out."
    assert (await served.text(".lead")).startswith("1 of 2 devices answer, 1 is silent. Newest value ")
    await served.browser.until("document.getElementById('notice').textContent")
    assert await served.text("#notice") == "Main: No answer since 10:41"
    assert await served.browser.evaluate("window.same")


@pytest_twisted.ensureDeferred
async def test_ages_are_the_boxs_whatever_the_clock_of_the_visitor_says(served):
    ages = (100, 4000, 30 * 3600, 400 * 86400)
    served.box.devices = [device(f"d{age}", at=NOW - age) for age in ages]
    await served.open()
    # What the server drew is drawn anew by the script at once.
    await served.browser.evaluate("document.querySelectorAll('.badge span').forEach((e) => { e.textContent = '' })")
    await served.browser.until("[...document.querySelectorAll('.badge span')].every((e) => e.textContent)")
    for age in ages:
        shown = await served.browser.evaluate(
            f"document.querySelector(\"[data-cell='d{age}:health'] .badge span\").textContent"
        )
        assert shown == ago(NOW - age, NOW, MADRID)


@pytest_twisted.ensureDeferred
async def test_a_page_that_hears_nothing_says_so_and_its_ages_go_on_growing(served, monkeypatch):
    await served.open()
    await served.browser.until("performance.getEntriesByType('resource').length > 2")
    monkeypatch.setattr(events, "READERS_MOST", 0)
    served.port.factory.resource.children[b"events"].close()
    # The page's own clock is put forward instead of waiting for two heartbeats.
    await served.browser.evaluate(
        "void ((real) => { performance.now = () => real() + 90000 })(performance.now.bind(performance))"
    )
    await served.browser.until("document.getElementById('notice').dataset.tone === 'lost'")
    notice = await served.text("#notice")
    assert notice.startswith("Live values stopped at 10:4") and notice.endswith(". Trying again.")
    assert await served.text(f"{CARD} .badge") == "1 min ago"
    monkeypatch.undo()
    served.box.change("main", values={"p": 860.0})
    await served.browser.until(f"document.querySelector(\"{CARD} .readout\")?.textContent === '860\\u00a0W'")
    assert await served.text("#notice") == "Values are live again."
    # Being refused is what this test is about; the browser notes it.
    assert all("503" in error for error in served.browser.errors)
    served.browser.errors.clear()


@pytest_twisted.ensureDeferred
async def test_pausing_stops_everything_that_moves_until_live_is_pressed_again(served):
    await served.open()
    await served.browser.until("performance.getEntriesByType('resource').length > 2")
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
    await served.open(script=False)
    assert await served.text(f"{CARD} .readout") == "−1.24 kW"
    assert await served.text(".as-of") == "As of 10:41:07"
    assert await served.browser.evaluate("document.getElementById('live').hidden")
    served.box.change("main", values={"p": 860.0})
    await served.browser.evaluate("location.assign(document.querySelector('.again').href)")
    await served.browser.until(f"document.querySelector(\"{CARD} .readout\")?.textContent === '860\\u00a0W'")


@pytest_twisted.ensureDeferred
async def test_no_page_scrolls_sideways_on_the_smallest_phone_and_everything_can_be_reached_by_keyboard(served):
    served.box.devices += [device("x", alias="W" * 64, health="silent", trouble="x" * 300, serial="9" * 40)]
    served.box.lines = [LineState("native", "serial:x", True, "", stations={"247": {"bytes_in": 12_480_000}})]
    served.box.exchanges = [Traced(NOW, NOW + 1, 1, b"r" * 8, b"x" * 255, "The answer is damaged: checksum")]
    for path in ("/", "/devices/x", "/lines/native"):
        for theme in ("light", "dark"):
            await served.open(path, width=320, height=800, theme=theme)
            assert await served.browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await served.open()
    reached = set()
    for _ in range(12):
        for kind in ("rawKeyDown", "keyUp"):
            await served.browser.ask("Input.dispatchKeyEvent", type=kind, key="Tab", windowsVirtualKeyCode=9)
        outline, reached_now = await served.browser.evaluate(
            "[getComputedStyle(document.activeElement).outlineWidth, document.activeElement.textContent.trim()]"
        )
        if reached_now == await served.browser.evaluate("document.body.textContent.trim()"):
            break
        assert outline == "3px"
        reached.add(reached_now)
    assert {"Skip to content", "Live", "Devices", "Data of Main", "Data of Workshop"} <= reached


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
