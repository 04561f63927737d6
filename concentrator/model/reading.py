"""A reading: one frozen fact about one device, on its way from the wire to whoever listens."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import field, frozen

Value = float | int | str


class Quality(StrEnum):
    """How far a value can be relied on.

    `good`: everything asked for was read; `partial`: something is missing; `conflict`: another device answers at
    this address, its values are not used; `suspended`: the line is not read now; `silent`: the device does not answer.
    """

    GOOD = "good"
    PARTIAL = "partial"
    CONFLICT = "conflict"
    SUSPENDED = "suspended"
    SILENT = "silent"


@frozen
class Reading:
    """What one device said in one poll.

    `uid`: the device's short id; `at`: UTC seconds of the moment of the reply; `values`: quantity name → number (in
    the unit of the quantity) or text; `missing`: quantities that were asked for and did not come.
    """

    uid: str
    at: float
    values: Mapping[str, Value]
    quality: Quality = Quality.GOOD
    missing: tuple[str, ...] = field(default=())
