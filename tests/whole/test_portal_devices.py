"""The Devices pages of the whole program: a meter is detected, added, linked and deleted through them, and what becomes
of the bus is told in words."""

import re
from html import unescape

import pytest_twisted

from concentrator.app.gate import FILE, kept_users
from tests.support.brokers import free_port
from tests.support.bus import simulated_bus
from tests.support.portal import Visitor
from tests.support.sites import meter, site
from tests.support.whole import BareBox

CHOSEN = {"port": "native", "profile": "energycm/ccm"}


def words(page):
    """The words of a page in reading order, without what is hidden."""
    page = re.sub(r"<(\w+)[^>]* hidden>.*?</\1>", "", page, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2])).split())


@pytest_twisted.ensureDeferred
async def test_a_meter_comes_and_goes_through_the_pages_of_a_real_box(tmp_path):
    port = free_port()
    with simulated_bus(tmp_path, "--meters", "3", "--unlinked", "1") as bus:
        text = site(tmp_path, bus.port, meter("main", 2, 'alias = "Main"\ninterval = "1 s"\n'))
        box = BareBox(tmp_path, text.replace("listen = []", f'listen = ["tcp:{port}:interface=127.0.0.1"]'))
        try:
            box.start()
            await box.until(lambda: box.status() and box.values("main")["v1"], 20, "reading")
            await box.until(lambda: kept_users(box.state / FILE), 20, "a first password")
            visitor = Visitor(port, box.state)
            assert "1 of 1 devices answer." in words(visitor.page("/devices/ccm"))

            found = words(visitor.send("/devices/add", **CHOSEN, id="3", alias="Cellar", do="detect"))
            assert re.search(r"answered at ID 3: \S+ k?W, \d\d\d\.\d V\. Values look right\?", found), found
            visitor.send("/devices/add", **CHOSEN, id="3", alias="Cellar", do="save")
            await box.until(lambda: "2 of 2 devices answer." in words(visitor.page("/devices")), 20, "the new meter")
            assert bus.serials[3] in words(visitor.page("/devices/cellar"))

            visitor.send("/devices/cellar/config", alias="Wine", line="native", address="3", interval="2 s", serial="")
            assert box.devices()["cellar"]["alias"] == "Wine"

            assert "Link mode is on." in words(visitor.send("/devices/link", line="native"))
            assert "Not read now: meters are being linked on native." in words(visitor.page("/devices"))
            bus.tell(f"press {bus.unlinked[0]}")
            said = f"{bus.unlinked[0]} — new, got ID 4"
            await box.until(lambda: said in words(visitor.page("/devices/link")), 20, "the meter that was linked")
            visitor.send("/devices/link/finish", line="native")
            done = "Reading again. First values: 1 of 1."
            await box.until(lambda: done in words(visitor.page("/devices/link")), 30, "its first values")

            visitor.send("/devices/cellar/delete")
            assert "cellar" not in box.devices() and "Wine" not in box.config.read_text()
            assert '<a href="/devices/main">main</a>' in visitor.page("/lines/native")

            bus.stop()
            gone = "The adapter of native is unplugged. Plug it in; reading starts by itself."
            await box.until(lambda: gone in words(visitor.page("/devices")), 20, "the line that is lost")
            page = words(visitor.page("/devices"))
            assert page.count(gone) == 1 and "Its line, native, is not there: see the line." in page
            assert "active power — last" in page, page
            box.stop()
            assert "Traceback" not in box.log()
        finally:
            box.end()
