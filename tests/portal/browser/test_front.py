"""The front of the box and what every page has, in a real browser."""

import pytest
import pytest_twisted

from concentrator.actions.panel import panel_actions
from concentrator.actions.tokens import token_actions
from concentrator.api import PanelState
from concentrator.model.features import FEATURES
from concentrator.panel.board import VirtualBoard
from concentrator.panel.panel import Panel
from concentrator.web.access import Role
from tests.support.axe import findings
from tests.support.web import NOW, FakeBox, device

PAGES = ("/info", "/info/label", "/menu?q=mode", "/panel", "/services/tokens")


@pytest.fixture
def box():
    box = FakeBox()
    box.works = Panel(VirtualBoard(), FEATURES["PRO"], None, lambda *kept: None, lambda *told: None, lambda: NOW)
    box.pressed = []
    box.lit = {"blue": "off", "green": "two", "yellow": "off"}
    for action in panel_actions(box.works, lambda held_s: box.pressed.append(held_s) or "link"):
        box.table.register(action)
    for action in token_actions(box.tokens, lambda: NOW):
        box.table.register(action)
    box.panel = lambda: PanelState(box.lit, box.works.outputs(), box.works.inputs())
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
