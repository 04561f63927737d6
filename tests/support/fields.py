"""The field of a configuration file, put together but with no wire behind it, and its list of devices."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.task import Clock

from concentrator.app.config import load_checked
from concentrator.app.devices import DeviceList
from concentrator.app.field import build_field
from concentrator.system.identity import DeviceBook
from tests.support.records import FixedWall

NATIVE = """\
# Our site
[box]
state_dir = "state"   # on the big disk
plugin_dirs = []

[line.native]
endpoint = "serial:/dev/null"
"""
METER = """
[device.{uid}]
line = "native"
profile = "energycm/ccm"
address = {address}
"""


def meter(uid: str, address: int, more: str = "") -> str:
    """The section of a meter, `more` being further lines of it."""
    return METER.format(uid=uid, address=address) + more


class StillBox:
    """A box of which only the field is there. `events` are those it told."""

    def __init__(self, folder: Path, text: str) -> None:
        self.file = folder / "ccmaster.toml"
        if not self.file.exists():
            self.file.write_text(text)
        self.config, self.catalogue = load_checked(self.file)
        self.state = self.config.box.state_dir
        self.state.mkdir(exist_ok=True)
        self.clock = Clock()
        self.events: list[tuple[str, dict[str, object]]] = []
        self.book = DeviceBook(self.state)
        self.field = build_field(
            self.config,
            self.catalogue.get,
            reactor=self.clock,
            sharp=self.clock,
            wall=FixedWall(),
            report=self.report,
            book=self.book,
        )
        self.devices = DeviceList(self.file, self.field, self.report)

    def report(self, name, facts):
        self.events.append((name, dict(facts)))

    def again(self) -> StillBox:
        """The box as it is after a restart."""
        return StillBox(self.file.parent, "")

    def listed(self) -> list[tuple[str, str, int]]:
        """Short id, line and Modbus ID of each device that is read."""
        return [(each.uid, each.line, each.address) for each in self.field.device_states()]
