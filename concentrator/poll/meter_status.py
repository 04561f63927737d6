"""What an M-Bus meter says of its own state with every telegram: low power, permanent and temporary errors, told as
events when they begin and when they are over. Hides the bits, and that they are learned when a meter first says one."""

from __future__ import annotations

from functools import cache

from attrs import define, field

from concentrator.api import Report
from concentrator.model.reading import Quality, Reading

STATUS = "mbus_status"
"""The quantity that has the bits."""


@define(eq=False)
class StatusWatch:
    """A subscriber of the hub that tells when meters change their state: `meter.power_low`, `meter.permanent_error`,
    `meter.temporary_error`, and each with `_over`; {device, text}. What a meter says first is told where it is not
    well."""

    report: Report
    _last: dict[str, int] = field(factory=dict, init=False)

    def reading_received(self, reading: Reading) -> None:
        """Compares a reading's status with what it was."""
        status = reading.values.get(STATUS)
        if not isinstance(status, int) or reading.quality is Quality.CONFLICT:
            return
        before = self._last.get(reading.uid, 0)
        self._last[reading.uid] = status
        for bit, name, begun, over in _events():
            if (before ^ status) & bit:
                is_on = bool(status & bit)
                self.report(
                    name if is_on else f"{name}_over", {"device": reading.uid, "text": begun if is_on else over}
                )

    def forget(self, uid: str) -> None:
        """The device is another one from now on, or gone."""
        self._last.pop(uid, None)


@cache
def _events() -> tuple[tuple[int, str, str, str], ...]:
    from concentrator.wire.mbus_record import PERMANENT_ERROR, POWER_LOW, TEMPORARY_ERROR

    return (
        (POWER_LOW, "meter.power_low", "its power is low: battery or supply", "its power is as it should be again"),
        (PERMANENT_ERROR, "meter.permanent_error", "it has a permanent error", "its permanent error is over"),
        (TEMPORARY_ERROR, "meter.temporary_error", "it has a temporary error", "its temporary error is over"),
    )
