"""The whole program while devices come and go: what is added is read, journalled and there after a restart, what is
removed is read no more and keeps its past."""

import time
from collections import Counter

import pytest
import pytest_twisted

from concentrator.app.control import NotDone
from tests.support.bus import simulated_bus
from tests.support.sites import meter, site
from tests.support.whole import PERIOD_S, BareBox, at, pause

CCM = {"line": "native", "profile": "energycm/ccm"}


def records_of(box, uid):
    return [record for record in box.journalled(time.time()) if record.draft.uid == uid]


def measured(box, uid):
    """Its records with a voltage in them: an interval that ended just as it was added may have its status alone."""
    return [record for record in records_of(box, uid) if "v1" in record.values]


@pytest_twisted.ensureDeferred
async def test_a_device_added_while_it_runs_is_journalled_and_its_past_stays_when_it_goes(tmp_path):
    with simulated_bus(tmp_path, "--meters", "2") as bus:
        box = BareBox(tmp_path, site(tmp_path, bus.port, "# the main meter\n" + meter("main", 1, 'interval = "1 s"\n')))
        try:
            box.start()
            await box.until(lambda: box.status() and box.values("main")["v1"], 20, "reading")
            shown = box.act("device.add", uid="cellar", address=2, alias="Cellar", **CCM)
            assert (shown["alias"], shown["protocol"], shown["health"]) == ("Cellar", "MB_RTU_CCM", "new")
            with pytest.raises(NotDone, match=r'ID Modbus: 2 is taken on this line by "Cellar"\. Free: 3, 4, 5…'):
                box.act("device.add", uid="again", address=2, **CCM)
            await box.until(lambda: measured(box, "cellar"), 3 * PERIOD_S + 5, "records of the new device")
            first = measured(box, "cellar")[0]
            assert first.draft.serial == box.devices()["cellar"]["serial"] == bus.serials[2]
            assert first.values["v1"] > 100

            box.act("device.remove", uid="cellar")
            assert list(box.devices()) == ["main"]
            asked = _asked(bus)
            await box.until(lambda: _asked(bus)[1] > asked[1] + 3, 10, "reading on")
            assert _asked(bus)[2] - asked[2] <= 1, "what was on the wire just then, no more"
            box.stop()
            kept = [record.n for record in records_of(box, "cellar")]
            assert first.n in kept

            box.start()
            await box.until(lambda: box.status() and box.values("main")["v1"], 20, "reading again")
            assert list(box.devices()) == ["main"]
            assert [record.n for record in records_of(box, "cellar")] == kept
            assert "# the main meter\n[device.main]" in box.config.read_text()
            box.stop()
            assert "Traceback" not in box.log()
        finally:
            box.end()


@pytest_twisted.ensureDeferred
async def test_secondaries_are_shown_under_their_principal_and_a_mode_is_set_and_read_back(tmp_path):
    with simulated_bus(tmp_path, "--meters", "1", "--secondaries", "1") as bus:
        box = BareBox(tmp_path, site(tmp_path, bus.port, meter("main", 1)))
        try:
            box.start()
            await box.until(lambda: box.status() and box.values("main")["v1"], 20, "reading")
            box.act("device.add", uid="kitchen", address=1, secondary=1, **CCM)
            await box.until(lambda: box.values("kitchen")["v1"], 15, "values of the secondary")
            kitchen = box.devices()["kitchen"]
            assert (kitchen["address"], kitchen["secondary"], kitchen["serial"]) == (1, 1, bus.secondaries[1][0])
            assert box.values("kitchen")["i1"] != box.values("main")["i1"]

            command = {"uid": "main", "name": "direction_mode", "value": 1}
            with pytest.raises(NotDone, match="allow_write of main is false"):
                box.act("device.write", **command)
            box.act("device.change", uid="main", allow_write=True)
            before = box.act("device.read", uid="main", name="direction_mode")["value"]
            after = 1 if before != 1 else 0
            assert box.act("device.write", **(command | {"value": after}))["value"] == after
            assert box.act("device.read", uid="main", name="direction_mode")["value"] == after
            box.stop()
            assert "Traceback" not in box.log()
        finally:
            box.end()


@pytest_twisted.ensureDeferred
async def test_an_adapter_that_is_unplugged_and_plugged_in_again_costs_only_the_time_between(tmp_path):
    box = None
    try:
        with simulated_bus(tmp_path, "--meters", "1") as bus:
            box = BareBox(tmp_path, site(tmp_path, bus.port, meter("main", 1)))
            box.start()
            await box.until(lambda: box.status() and box.values("main")["v1"], 20, "reading")
        (tmp_path / "bus").unlink(missing_ok=True)
        await box.until(lambda: not box.status()["lines"][0]["is_open"], 10, "the line lost")
        assert box.status()["lines"][0]["trouble"]
        uptime_s = box.status()["box"]["uptime_s"]
        await pause(1)
        plugged_in = time.time()
        with simulated_bus(tmp_path, "--meters", "1"):
            await box.until(lambda: box.status()["lines"][0]["is_open"], 10, "open again")
            await box.until(lambda: _seen(box) > plugged_in, 10, "read again")
            assert box.status()["box"]["uptime_s"] > uptime_s
            box.stop()
        assert "Traceback" not in box.log()
    finally:
        if box is not None:
            box.end()


def _asked(bus):
    """How often each meter was asked."""
    return Counter(exchange.unit for exchange in bus.exchanges())


def _seen(box):
    return at(box.devices()["main"]["last_seen"])
