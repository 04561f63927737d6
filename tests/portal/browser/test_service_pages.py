"""Services › Cloud, SMS and Modbus slave in a real browser."""

import pytest
import pytest_twisted

from concentrator.web.access import Role
from tests.support.axe import assert_for_everybody
from tests.support.service_box import ServiceBox

CLOUD, SMS, SLAVE = "/services/cloud", "/services/sms", "/services/modbus-slave"
PAGES = (
    CLOUD,
    *(f"{CLOUD}/first{tab}" for tab in ("", "/gateway", "/cloud", "/module", "/label", "/remove")),
    SMS,
    *(f"{SMS}/modem{tab}" for tab in ("", "/alarms_and_orders", "/modem_tab")),
    SLAVE,
    *(f"{SLAVE}/scada{tab}" for tab in ("", "/settings")),
    "/services/modbus-slave-map",
    *(f"/network/modem{tab}" for tab in ("", "/wan", "/wan/settings")),
)


@pytest.fixture
def box(tmp_path):
    return ServiceBox(tmp_path)


@pytest.mark.parametrize(("language", "theme", "width"), [("en", "light", 1280), ("es", "dark", 320)])
@pytest_twisted.ensureDeferred
async def test_the_pages_are_for_everybody_and_never_scroll_sideways(served, language, theme, width):
    await assert_for_everybody(served, Role.ADMINISTRATOR, PAGES, width, theme, language)


@pytest_twisted.ensureDeferred
async def test_how_a_session_stands_and_what_it_counts_change_while_one_looks(served, box):
    await served.open(f"{CLOUD}/first")
    await served.listening()
    await served.browser.evaluate("void (window.same = true)")
    box.cloud(standing="Waiting: the connection ended", figures={**box.clouds[0].figures, "uploads": 4321})
    await served.until_text(".lead", "Waiting: the connection ended")
    await served.until_text("main", "4321")
    assert await served.browser.evaluate("window.same")


@pytest_twisted.ensureDeferred
async def test_the_list_of_sessions_is_alive_too(served, box):
    await served.open(CLOUD)
    await served.listening()
    box.cloud(standing="Registering")
    await served.until_text("main", "Registering the controller g1.")


@pytest.mark.parametrize("script", [True, False])
@pytest_twisted.ensureDeferred
async def test_factory_settings_are_asked_for_and_confirmed(served, box, script):
    await served.open(f"{CLOUD}/first", script=script)
    await served.browser.evaluate("void (document.querySelector('input[name=sure]').checked = true)")
    await served.send("form.actions button.danger")
    assert box.reset == ["first"]
    assert "The session has its factory settings." in await served.seen()
