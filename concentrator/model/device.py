"""A device as the configuration names it: where it hangs and how it is read."""

from __future__ import annotations

from attrs import frozen


@frozen
class Device:
    """One configured device.

    `uid`: its immutable short id (the key of its section); `line`: the name of its line; `profile`: the key of its
    profile, `brand/series`; `address`: the Modbus ID; `interval_s`: how often fast values are wanted, in seconds;
    `serial`: the configured serial number, or empty when it is to be taken from the device; `secondary`: n of the
    n-th secondary behind the principal at this address, or None.
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

    @property
    def label(self) -> str:
        """The name people see: the alias, or the short id where there is none."""
        return self.alias or self.uid
