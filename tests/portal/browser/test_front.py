"""The front of the box and what every page has, in a real browser."""

import pytest
import pytest_twisted
from twisted.internet.task import Clock

from concentrator.actions.panel import panel_actions
from concentrator.actions.tokens import token_actions
from concentrator.api import PanelState
from concentrator.model.features import FEATURES
from concentrator.panel.board import VirtualBoard
from concentrator.panel.panel import Panel
from concentrator.web.access import Role
from tests.support.axe import findings
from tests.support.front import FakeFront
from tests.support.web import NOW, FakeBox, device

PAGES = ("/info", "/info/label", "/menu?q=mode", "/panel", "/services/tokens")


@pytest.fixture
def box():
    box = FakeBox()
    quiet = (lambda *kept: None, lambda *told: None)
    box.works = Panel(VirtualBoard(), FEATURES["PRO"], None, *quiet, lambda: NOW, Clock())
    box.front = FakeFront(box)
    box.pressed, box.scheme = box.front.presses, "ccmaster"
    box.lit = {"blue": "off", "green": "two", "yellow": "off"}
    for action in panel_actions(box.works, box.front):
        box.table.register(action)
    for action in token_actions(box.tokens, lambda: NOW):
        box.table.register(action)
    box.panel = lambda: PanelState(box.lit, box.works.outputs(), box.works.inputs(), scheme=box.scheme)
    return box


async def hold(served, ms):
    """Holds the button as a finger does. The page's own clock is put forward instead of waiting."""
    where = await served.browser.evaluate(
        "(() => { const at = document.querySelector('#hold button').getBoundingClientRect();"
        " return [at.x + at.width / 2, at.y + at.height / 2] })()"
    )
    mouse = {"x": where[0], "y": where[1], "button": "left", "clickCount": 1}
    await served.browser.evaluate("void (window.put = 0, window.real ??= performance.now.bind(performance))")
    await served.browser.evaluate("void (performance.now = () => window.real() + window.put)")
    await served.browser.ask("Input.dispatchMouseEvent", type="mousePressed", **mouse)
    await served.browser.until("document.querySelector('#hold span').textContent")
    await served.browser.evaluate(f"void (window.put = {ms})")
    await served.browser.until(f"document.querySelector('#hold progress').value >= {min(ms / 1000, 10)}")
    promised = await served.text("#hold span")
    await served.browser.ask("Input.dispatchMouseEvent", type="mouseReleased", **mouse)
    return promised


@pytest_twisted.ensureDeferred
async def test_holding_the_button_says_what_letting_go_will_do_and_does_it(served, box):
    await served.open("/panel")
    assert await hold(served, 7000) == "Let go: nothing (5 to 10 s)"
    assert box.pressed == []
    assert await hold(served, 3000) == "Let go: link mode"
    await served.browser.until("document.querySelector('.saved')")
    assert await served.text(".saved") == "Link mode was switched."
    assert len(box.pressed) == 1 and 3.0 <= box.pressed[0] < 5.0


def as_module(box):
    """Gives the box the front of a CMM365 with an alarm."""
    dark = dict.fromkeys(("rs485_slave", "gprs", "link"), "off")
    box.scheme, box.lit = "cmm365", {"power": "red", "alarm": "steady", "rs485_master": "blink", **dark}


@pytest_twisted.ensureDeferred
async def test_the_button_of_a_cmm365_tests_the_lamps_and_asks_before_it_resets(served, box):
    as_module(box)
    await served.open("/panel")
    assert await hold(served, 500) == "Let go: nothing (under 1 s)"
    assert box.pressed == []
    box.front.gesture = "lamp_test"
    assert await hold(served, 1500) == "Let go: lamp test"
    await served.browser.until("document.querySelector('.saved')")
    assert await served.text(".saved") == "All lights are on for some seconds."
    assert len(box.pressed) == 1
    box.front.gesture = "factory"
    assert await hold(served, 11_000) == "Let go: reset, after a question"
    await served.browser.until("document.querySelector('.faults')")
    assert len(box.pressed) == 1, "nothing was done yet"
    await served.send(".faults button")
    assert await served.text(".saved") == "Inputs, outputs and cloud sessions are as they left the factory."
    assert box.pressed[1:] == [10.0]


@pytest_twisted.ensureDeferred
async def test_power_is_green_and_red_in_one_light_and_the_others_are_red(served, box):
    as_module(box)
    await served.open("/panel", theme="light")
    colour = "getComputedStyle(document.querySelector('.front .light.{}')).borderTopColor"
    red, green = "rgb(198, 40, 40)", "rgb(22, 128, 60)"
    assert await served.browser.evaluate(colour.format("power")) == red
    assert await served.browser.evaluate(colour.format("rs485_master")) == red
    await served.listening()
    box.lit = {**box.lit, "power": "steady", "alarm": "off"}
    box.change("main", values={"p": 1.0})
    await served.browser.until("document.querySelector('.front .light.power').dataset.health === 'steady'")
    assert await served.browser.evaluate(colour.format("power")) == green
    assert await served.browser.evaluate(colour.format("alarm")) not in (red, green)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
async def test_six_lights_fit_at_the_top_of_every_screen(served, box, width):
    as_module(box)
    for language in ("en", "es"):
        await served.open("/panel", Role.ADMINISTRATOR, width, 844, language=language)
        assert await served.width() <= width
        assert await findings(served.browser) == []


@pytest_twisted.ensureDeferred
async def test_the_lights_change_on_every_page_without_loading_it_again(served, box):
    await served.open("/info")
    await served.listening()
    assert await served.text(".lights") and "Reading" in await served.seen(".lights")
    box.lit = {**box.lit, "blue": "blink", "green": "blink"}
    box.change("main", values={"p": 1.0})
    await served.browser.until("document.querySelector('.lights .blue').dataset.health === 'blink'")
    assert "Link mode" in await served.seen(".lights") and "Offline" in await served.seen(".lights")
    moving = "getComputedStyle(document.querySelector('.lights .blue')).animationName"
    assert await served.browser.evaluate(moving) == "blink"
    await served.browser.evaluate("document.getElementById('live').click()")
    assert await served.browser.evaluate(moving) == "none", "a paused page stands still"


@pytest_twisted.ensureDeferred
async def test_an_output_is_set_and_an_input_worked_without_scripts(served, box):
    await served.open("/panel", script=False)
    await served.browser.ask("Emulation.setScriptExecutionDisabled", value=False)
    await served.send("form:has([value=relay1]) button")
    assert box.works.outputs()[0].value is True
    assert await served.text(".saved") == "Relay 1: on."


@pytest.mark.parametrize("script", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_token_is_made_shown_once_and_taken_back(served, box, script):
    await served.open("/services/tokens", Role.ADMINISTRATOR, script=script)
    await served.fill(name="grafana")
    await served.send("[data-form] button[type=submit]")
    assert box.tokens.find(await served.text("code")).name == "grafana"
    await served.send("form[action$=remove] button")
    assert await served.text(".saved") == "The token grafana was taken back."
    assert list(box.tokens) == []


@pytest_twisted.ensureDeferred
async def test_a_trouble_appears_on_the_info_page_when_it_begins(served, box):
    await served.open("/info")
    await served.listening()
    box.change("main", health="silent", tries=("no_reply",) * 3)
    await served.browser.until("!document.querySelector('.troubles a[href=\"/devices/main\"]').hidden")
    assert (await served.text(".lead")).startswith("1 of 2 devices do not answer.")


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("page", PAGES)
async def test_pages_can_be_used_by_those_who_do_not_see_or_use_them_as_most_do(served, box, page):
    box.devices = [device("main", alias="W" * 64), device("b", health="silent", alias="<b>x</b>")]
    for theme in ("light", "dark"):
        for language in ("en", "es"):
            await served.open(page, Role.ADMINISTRATOR, 390, 844, theme=theme, language=language)
            assert await findings(served.browser) == []
    await served.open(page, Role.ADMINISTRATOR, 1280, 800)
    assert await findings(served.browser) == []


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("page", PAGES)
async def test_no_page_scrolls_sideways_on_the_smallest_phone(served, box, page):
    box.devices = [device("main", alias="W" * 64)]
    for language in ("en", "es"):
        await served.open(page, Role.ADMINISTRATOR, 320, 568, language=language)
        assert await served.width() <= 320


@pytest_twisted.ensureDeferred
async def test_the_chosen_theme_wins_over_the_devices(served):
    await served.cookie("theme", "dark")
    await served.open("/info", theme="light")
    assert await served.browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 18, 20)"
    await served.cookie("theme", "light")
    await served.open("/info", theme="dark")
    assert await served.browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(242, 243, 239)"
