"""The whole program where the disk has no room for a journal: it waits for it, and does not end."""

import pytest
import pytest_twisted

from concentrator.app.assembly import REOPEN_S
from concentrator.app.records import records
from tests.support.bus import simulated_bus
from tests.support.disk import Watch
from tests.support.whole import BareBox

CONFIG = """
[box]
state_dir = "{state}"
plugin_dirs = []
[line.native]
endpoint = "serial:{port}:baudrate=9600"
[history]
latency = "10 s"
[web]
listen = "tcp:0"
[device.m1]
line = "native"
profile = "energycm/ccm"
address = 1
"""


@pytest.fixture
def box(tmp_path):
    with simulated_bus(tmp_path, "--meters", "1") as bus:
        box = BareBox(tmp_path, CONFIG.format(state=tmp_path / "state", port=bus.port))
        watch = Watch.over(box.state, tmp_path)
        box.surroundings = watch.environment | {"DISK_BRIEF": "1"}
        box.disk = watch
        yield box
        box.end()


async def wait_for_room(box, room):
    """Has the box begin, and begin again without its journal where the disk has `room` bytes for all its files."""
    box.start()
    await box.until(box.status, 20, "at work")
    box.stop()
    for file in box.state.glob("journal*"):
        file.unlink()
    box.disk.size.write_text(str(room()))
    box.start()
    await box.until(lambda: "waits for room" in box.log(), 20, "waiting for room")


@pytest_twisted.ensureDeferred
async def test_it_waits_for_room_and_goes_on_when_there_is_some(box):
    await wait_for_room(box, lambda: sum(file.stat().st_size for file in box.state.rglob("*") if file.is_file()))
    assert box.is_running and box.status() is None
    box.disk.size.unlink()
    await box.until(box.status, REOPEN_S + 20, "at work again")
    await box.until(lambda: list(records(box.state)), 30, "keeping records")
    box.stop()


@pytest_twisted.ensureDeferred
async def test_it_can_be_stopped_while_it_waits(box):
    await wait_for_room(box, lambda: 0)
    box.stop()
