"""Services › M-Bus in a real browser, with a script and without."""

import pytest
import pytest_twisted
from attrs import evolve

from concentrator.mbusgate import life
from concentrator.mbusgate.statistics import Statistics
from concentrator.web.access import Role
from tests.support.axe import assert_for_everybody, findings
from tests.support.mbus_box import MbusBox, found
from tests.support.pages import kept
from tests.support.web import device

PATH = "/services/mbus"
WHOLE = "12345678-KAM-08-04"
PAGES = (
    PATH,
    f"{PATH}/accept",
    f"{PATH}/accept?line=far",
    f"{PATH}/disconnect",
    f"{PATH}/serial",
    f"{PATH}/meters",
    f"{PATH}/telegram?line=heat&address=5",
    f"{PATH}/add?line=heat&address={WHOLE}&primary=7",
)


@pytest.fixture
def box(tmp_path):
    box = MbusBox(tmp_path)
    box.devices = [device("flat", line="heat", address=5, protocol="MBUS", profile="mbus/generic")]
    return box


@pytest.mark.parametrize(("language", "theme", "width"), [("en", "light", 1280), ("es", "dark", 320)])
@pytest_twisted.ensureDeferred
async def test_the_pages_are_for_everybody_and_never_scroll_sideways(served, language, theme, width):
    await assert_for_everybody(served, Role.ADMINISTRATOR, PAGES, width, theme, language)


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (320, "light")])
@pytest_twisted.ensureDeferred
async def test_so_is_a_telegram_and_a_search_that_goes_on(served, box, width, theme):
    await served.open(f"{PATH}/meters", width=width, theme=theme)
    await served.send("form[action*=telegram] button")
    assert "539 kWh" in (await served.seen()).replace("\t", " ")
    assert (await findings(served.browser), await served.width() <= width) == ([], True)
    await served.open(f"{PATH}/meters", width=width, theme=theme)
    await served.send("form.range button")
    box.tasks.all()[-1].tell(0.4, "…", [found(known="flat"), found(primary=7)])
    await served.until_text("[data-rows]", "primary 7")
    assert (await findings(served.browser), await served.width() <= width) == ([], True)


@pytest_twisted.ensureDeferred
async def test_a_narrow_screen_shows_the_numbers_too(served):
    await served.open(PATH, width=320)
    assert "Completed Accepts 4" in await served.seen()
    await served.open(f"{PATH}/serial", width=320)
    assert "Receiver Transmitter Bytes 12 480 940" in await served.seen()


@pytest_twisted.ensureDeferred
async def test_counters_and_who_is_connected_change_while_one_looks(served, box):
    await served.open(PATH)
    await served.listening()
    await served.browser.evaluate("void (window.same = true)")
    counted = Statistics(completed_accepts=41, from_network=1234).as_shown(0)
    box.states = [evolve(box.states[0], standing=life.WAITING, client="", statistics=counted)]
    await served.until_text(".lead", "Nobody is connected; the box reads line heat itself.")
    await served.until_text("main table", "41")
    assert await served.browser.evaluate("window.same")


@pytest.mark.parametrize("script", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_client_is_thrown_out(served, box, script):
    await served.open(PATH, Role.ADMINISTRATOR, script=script)
    await served.send("form[action$=leave].actions button")
    assert box.thrown_out == ["main"]
    assert "Whoever was connected is not any more." in await served.seen()


@pytest.mark.parametrize("script", [True, False])
@pytest_twisted.ensureDeferred
async def test_meters_are_found_stopped_and_added(served, box, script):
    await served.open(f"{PATH}/meters", script=script)
    await served.send("form.range button")
    assert "0 % searched, 0 found so far." in await served.seen()
    box.tasks.all()[-1].tell(0.25, "…", [found(primary=7)])
    if script:
        await served.until_text("[data-rows]", f"{WHOLE}, primary 7: KAM heat (outlet)")
    await served.send("form[action$=stop] button")
    assert "Stopped. What was found so far stays." in await served.seen()
    await served.send("[data-rows] a")
    await served.fill(alias="Flat 3")
    await served.send("form.form button")
    assert "Flat 3 was added at 10:41." in await served.seen()
    assert [asked[0] for asked in box.asked] == ["heat", "flat-3"]


@pytest.mark.parametrize("script", [True, False])
@pytest_twisted.ensureDeferred
async def test_the_gateway_and_the_speed_are_set(served, box, script):
    await served.open(f"{PATH}/accept", script=script)
    set_ = "void (document.getElementById('f-{}').value = '{}')"
    await served.browser.evaluate(set_.format("mbus_gateway-main-port", "10005"))
    await served.send("[data-save]")
    assert "Saved at 10:41." in await served.seen()
    await served.open(f"{PATH}/serial", script=script)
    await served.browser.evaluate(set_.format("line-heat-endpoint", "300"))
    await served.send("[data-save]")
    assert "Saved at 10:41." in await served.seen()
    assert kept(box)["mbus_gateway"]["main"]["port"] == 10005
    assert kept(box)["line"]["heat"]["endpoint"] == "serial:/dev/ttyUSB0:baudrate=300"
