"""A device as the configuration names it: where it hangs and how it is read."""

from __future__ import annotations

from attrs import frozen


@frozen
class Device:
    """One configured device.

    `uid`: its immutable short id (the key of its section); `line`: the name of its line; `profile`: the key of its
    profile, `brand/series`; `address`: the Modbus ID; `interval_s`: how often fast values are wanted, in seconds;
    `serial`: the configured serial number, or empty when it is to be taken from the device; `secondary`: n of the
    n-th secondary behind the principal at this address, or None; `selected`: the secondary address that an M-Bus meter
    is selected by, empty for one that is asked at its primary address, and for all others; `model`: the model on its
    label, empty where nobody said; `allow_write`, `allow_commands`, `allow_raw`: whether its variables may be written,
    it may be commanded, anybody's Modbus requests may write to it; `allow_unverified`: commands too that nobody has
    verified for it.
    """

    uid: str
    line: str
    profile: str
    address: int
    alias: str = ""
    interval_s: float = 3.0
    allow_write: bool = False
    serial: str = ""
    secondary: int | None = None
    selected: str = ""
    model: str = ""
    allow_commands: bool = False
    allow_unverified: bool = False
    allow_raw: bool = False

    @property
    def station(self) -> int | str:
        """What its line tells it from others by: what it is selected by, or its address."""
        return self.selected or self.address

    @property
    def label(self) -> str:
        """The name people see: the alias, or the short id where there is none."""
        return self.alias or self.uid
