"""The newest value of every quantity of every device, each with the time of its reading."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field

from concentrator.model.reading import Quality, Reading, Value


@define
class Newest:
    """What is known of one device now: quantity name → (value, UTC seconds of its reading), the moment and quality
    of its last reading, and the moment of the last one that brought values."""

    values: dict[str, tuple[Value, float]] = field(factory=dict)
    at: float = 0.0
    quality: Quality = Quality.GOOD
    last_seen: float | None = None


@define(eq=False, repr=False)
class Latest:
    """A subscriber of the hub that remembers. Values of a device in conflict are not taken over."""

    _devices: dict[str, Newest] = field(factory=dict, init=False)

    def reading_received(self, reading: Reading) -> None:
        """Takes a reading over."""
        newest = self._devices.setdefault(reading.uid, Newest())
        newest.at, newest.quality = reading.at, reading.quality
        if reading.values and reading.quality is not Quality.CONFLICT:
            newest.last_seen = reading.at
            newest.values.update((name, (value, reading.at)) for name, value in reading.values.items())

    def forget(self, uid: str) -> None:
        """Nothing is known of a device any more."""
        self._devices.pop(uid, None)

    def of(self, uid: str) -> Newest:
        """What is known of a device; empty where nothing is."""
        return self._devices.get(uid) or Newest()

    def devices(self) -> Mapping[str, Newest]:
        """All devices by short id."""
        return self._devices
