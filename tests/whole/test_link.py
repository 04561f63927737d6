"""The whole program and meters without an ID: their buttons are pressed, one after the other, and the box is killed in
between."""

import json
import tomllib

import pytest_twisted

from tests.support.bus import simulated_bus
from tests.support.sites import site
from tests.support.whole import BareBox, pause


def pressed(bus, serial):
    """What the meter says of itself once its button is pressed."""
    return bus.tell(f"press {serial}")["meter"]


def kept_ids(bus):
    """The ID each meter has in its memory."""
    return {serial: bus.tell(f"show {serial}")["meter"]["stored_id"] for serial in bus.unlinked}


def configured(box):
    """The ID each device has in the file, by serial."""
    devices = tomllib.loads(box.config.read_text()).get("device", {})
    return {device["serial"]: device["address"] for device in devices.values()}


@pytest_twisted.ensureDeferred
async def test_meters_whose_button_is_pressed_become_devices_one_after_the_other(tmp_path):
    with simulated_bus(tmp_path, "--meters", "0", "--unlinked", "3") as bus:
        box = BareBox(tmp_path, site(tmp_path, bus.port))
        before = box.config.read_text()
        try:
            box.start()
            await box.until(lambda: (box.status() or {"lines": [{}]})["lines"][0].get("is_open"), 20, "reading")
            assert box.act("link.start")["is_on"]
            assert box.act("link.status")["line"] == "native"
            assert box.status()["lines"][0]["suspended"]
            for count, serial in enumerate(bus.unlinked, 1):
                pressed(bus, serial)
                await box.until(lambda n=count: len(box.devices()) == n, 15, f"meter {serial} linked")
            found = box.act("link.stop")["found"]
            assert [(each["serial"], each["unit"]) for each in found] == list(zip(bus.unlinked, (2, 3, 4), strict=True))
            assert configured(box) == kept_ids(bus) == dict(zip(bus.unlinked, (2, 3, 4), strict=True))

            uids = [f"ccm-{serial}" for serial in bus.unlinked]
            await box.until(lambda: all(box.values(uid)["v1"] for uid in uids), 10, "values of all")
            assert [device["serial"] for device in box.devices().values()] == bus.unlinked
            assert box.config.read_text().startswith(before)

            box.stop()
            box.start()
            await box.until(box.status, 20, "answering again")
            assert list(box.devices()) == uids
            await box.until(lambda: all(box.values(uid)["v1"] for uid in uids), 10, "values of all again")

            box.act("link.start")
            pressed(bus, bus.unlinked[0])
            box.stop()
            assert "link.left" in box.log()
            assert bus.tell(f"show {bus.unlinked[0]}")["meter"]["stage"] == "normal"
            assert kept_ids(bus) == configured(box)
            assert "Traceback" not in box.log()
        finally:
            box.end()


@pytest_twisted.ensureDeferred
async def test_no_id_is_given_twice_when_the_box_is_killed_in_the_middle(tmp_path):
    """Killed when the first meter's ID is reserved, then a little later each time; then all are linked anew."""
    with simulated_bus(tmp_path, "--meters", "0", "--unlinked", "3") as bus:
        box = BareBox(tmp_path, site(tmp_path, bus.port))
        journal = box.state / "link.json"

        def reserved():
            entries = json.loads(journal.read_text())["lines"]["native"] if journal.exists() else {}
            return {entry["unit"]: serial for serial, entry in entries.items() if entry["state"] != "failed"}

        async def linking():
            box.start()
            await box.until(lambda: (box.status() or {"lines": [{}]})["lines"][0].get("is_open"), 20, "reading")
            box.act("link.start")

        try:
            for kills, serial in enumerate(bus.unlinked):
                await linking()
                pressed(bus, serial)
                while serial not in reserved().values():
                    await pause(0.005)
                await pause(0.1 * kills)
                box.kill()
                assert len(set(configured(box).values())) == len(configured(box))
            await linking()
            for serial in bus.unlinked:
                pressed(bus, serial)
                await box.until(lambda s=serial: f"ccm-{s}" in box.devices(), 25, f"meter {serial} linked")
            await box.until(lambda: configured(box) == kept_ids(bus), 15, "the file and the meters agree")
            box.act("link.stop")
            ids = configured(box)
            assert sorted(ids) == sorted(bus.unlinked)
            assert len(set(ids.values())) == len(ids)
            assert {serial: unit for unit, serial in reserved().items()} == ids
            box.stop()
            assert "Traceback" not in box.log()
        finally:
            box.end()
