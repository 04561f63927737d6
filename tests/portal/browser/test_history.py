from datetime import datetime

import pytest
import pytest_twisted

from concentrator.api import Happened
from concentrator.model.reading import Quality
from concentrator.web.access import Role
from tests.support.axe import findings
from tests.support.past_box import PERIOD_S, PastBox
from tests.support.web import MADRID, NOW

END = int(NOW) // PERIOD_S * PERIOD_S
DAY = 86_400
LONG_DAY = int(datetime(2026, 10, 25, tzinfo=MADRID).timestamp())
OF_LONG_DAY = "/history?device=main&variable=p&from=2026-10-25&to=2026-10-25"
DRAWN = "document.querySelector('.chart')?.dataset.drawn === '1'"


@pytest.fixture
def box():
    box = PastBox()
    gap = (LONG_DAY + 2 * 3600, LONG_DAY + 4 * 3600, Quality.SILENT)
    box.fill("main", LONG_DAY, LONG_DAY + 25 * 3600, lambda end: 100 + (end - LONG_DAY) / 100, [gap])
    box.fill("main", END - DAY, END, lambda end: 100.0)
    box.happen("device.lost", NOW - 60, "main")
    return box


async def pressed(served, key, times=1):
    code = {"ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35, "PageUp": 33, "PageDown": 34}[key]
    await served.browser.evaluate("void document.querySelector('.chart').focus()")
    for _ in range(times):
        await served.press(key, code)


@pytest_twisted.ensureDeferred
async def test_a_day_of_25_hours_is_drawn_with_its_gap_and_its_table_says_the_same(served):
    await served.open(OF_LONG_DAY, Role.VIEWER)
    await served.browser.until(DRAWN)
    assert await served.browser.evaluate("document.querySelectorAll('.chart canvas').length") == 1
    assert await served.browser.evaluate("document.querySelectorAll('#table tbody tr').length") == 25 * 12 - 24 + 1
    assert "02:00 CEST to 25 Oct, 03:00 CET: the device did not answer" in await served.text("#table .gap")
    assert await served.text(".chart .unit") == "kW"


@pytest_twisted.ensureDeferred
async def test_keys_move_along_the_line_and_what_is_there_is_spoken(served):
    await served.open(OF_LONG_DAY, Role.VIEWER)
    await served.browser.until(DRAWN)
    await pressed(served, "Home")
    await served.until_text(
        ".chart [role=status]", "25 Oct, 00:05 CEST: active power 0.10 kW".replace(" ", "\u00a0")[:3]
    )
    assert (await served.text(".chart [role=status]")) == "25 Oct, 00:05 CEST: active power 0.10 kW"
    await pressed(served, "ArrowRight", 24)
    await served.until_text(".chart [role=status]", "02:05")
    assert "No data" in await served.text(".chart [role=status]")
    assert "No data" in await served.text(".chart .at")


@pytest_twisted.ensureDeferred
async def test_a_key_leads_to_the_day_before(served):
    await served.open(OF_LONG_DAY, Role.VIEWER)
    await served.browser.until(DRAWN)
    await served.browser.evaluate("void (window.old = true)")
    await pressed(served, "PageUp")
    await served.browser.until("!window.old && document.readyState === 'complete'")
    assert "from=2026-10-24T00%3A00&to=2026-10-25T00%3A00" in await served.browser.evaluate("location.href")


@pytest_twisted.ensureDeferred
async def test_what_draws_charts_is_loaded_where_there_is_one_and_after_the_page(served):
    await served.open("/devices", Role.VIEWER)
    loaded = "performance.getEntriesByType('resource').some((each) => each.name.includes('uPlot'))"
    assert not await served.browser.evaluate(loaded)
    await served.open("/history", Role.VIEWER)
    assert not await served.browser.evaluate(
        "[...document.querySelectorAll('head script')].slice(0, 2).some((e) => e.src.includes('uPlot'))"
    )
    await served.browser.until(DRAWN)
    assert await served.browser.evaluate(loaded)


@pytest_twisted.ensureDeferred
async def test_another_variable_of_a_device_is_drawn_without_leaving_its_page(served):
    await served.open("/devices/main", Role.VIEWER)
    await served.browser.until(DRAWN)
    await served.browser.evaluate(
        "void ((select) => { select.value = 'v1'; select.dispatchEvent(new Event('change')); })"
        "(document.querySelector('[data-chart]'))"
    )
    await served.until_text(".chart .legend", "voltage L1")
    assert await served.text(".chart .unit") == "V"


@pytest_twisted.ensureDeferred
async def test_the_theme_may_change_under_a_chart(served):
    await served.open("/history", Role.VIEWER)
    await served.browser.until(DRAWN)
    await served.browser.evaluate("void document.querySelector('.chart canvas').setAttribute('data-old', '')")
    await served.browser.show(1280, 800, "dark")
    await served.browser.until("document.querySelector('.chart canvas') && !document.querySelector('[data-old]')")


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest_twisted.ensureDeferred
async def test_nothing_scrolls_sideways_and_the_table_is_there_without_a_script(served, width, script):
    await served.open(OF_LONG_DAY, Role.VIEWER, width=width, script=script, language="es")
    if script:
        await served.browser.until(DRAWN)
        assert await served.width() <= width
    else:
        await served.browser.show(width, 800, "light", True)
        assert await served.browser.evaluate("document.querySelector('.chart').hidden")
        assert await served.browser.evaluate("document.querySelectorAll('#table tbody tr').length") > 270
    await served.open("/events", Role.VIEWER, width=width, language="es")
    assert await served.width() <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", [OF_LONG_DAY, "/events", "/devices/main"])
@pytest_twisted.ensureDeferred
async def test_axe_finds_nothing(served, path, theme):
    await served.open(path, Role.VIEWER, width=390, height=844, theme=theme)
    if path != "/events":
        await served.browser.until(DRAWN)
    assert await findings(served.browser) == []


@pytest_twisted.ensureDeferred
async def test_new_events_wait_until_somebody_wants_to_see_them(served):
    await served.open("/events", Role.VIEWER)
    await served.listening()
    assert await served.browser.evaluate("document.getElementById('new-events').hidden")
    served.box.recent = [Happened(n, NOW, "device.found", {}) for n in (1, 2, 3)]
    await served.until_text("#new-events", "3 new")
    served.box.happen("device.found", NOW - 1, "main")
    assert await served.browser.evaluate("document.querySelectorAll('.happened tbody tr').length") == 1
    await served.send("#new-events a")
    assert await served.browser.evaluate("document.querySelectorAll('.happened tbody tr').length") == 2
