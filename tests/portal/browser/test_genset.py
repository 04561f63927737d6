"""A genset's page in a real browser."""

import pytest
import pytest_twisted

from concentrator.model.genset import GensetStatus
from concentrator.web.access import Role
from tests.support.axe import assert_for_everybody
from tests.support.genset_box import GensetBox

PATH = "/devices/g1/genset"


@pytest.fixture
def box():
    return GensetBox()


@pytest.mark.parametrize(("language", "theme", "width"), [("en", "light", 1280), ("es", "dark", 320)])
@pytest_twisted.ensureDeferred
async def test_the_page_is_for_everybody_and_never_scrolls_sideways(served, language, theme, width):
    paths = (PATH, f"{PATH}?command=gen_breaker_toggle")
    await assert_for_everybody(served, Role.INSTALLER, paths, width, theme, language)


@pytest_twisted.ensureDeferred
async def test_status_and_alarms_change_while_one_looks(served, box):
    await served.open(PATH)
    await served.listening()
    assert "low fuel" in await served.seen()
    box.state.status = GensetStatus()
    await served.until_text(".lead", "Its mode is not known.")
    await served.until_text("main", "None.")


@pytest.mark.parametrize("script", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_command_is_asked_for_twice(served, box, script):
    await served.open(PATH, Role.INSTALLER, script=script)
    await served.send("a[href*='command=start']")
    assert "Start: Farm?" in await served.seen()
    assert box.given == []
    await served.send("form.actions button.danger")
    assert box.given == [("g1", "start", "installer")]
    assert "Start: done" in await served.seen()
