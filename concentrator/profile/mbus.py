"""The profile of M-Bus meters, which needs no file: a meter says with every value what it is. What is here is what is
known of any of them before it has spoken."""

from __future__ import annotations

from concentrator.model.profile import DeviceProfile, Function, Point, SerialDefaults, Sign, Status, Traits
from concentrator.model.quantities import QUANTITIES

M_BUS = "m-bus"
"""The dialect and the protocol of a line."""
KEY = "mbus/generic"

IDENTIFY_S = 3600.0
"""How often a meter is asked who it is, in seconds: every telegram says so anyway."""


def _who(name: str) -> Point:
    return Point(QUANTITIES[name], Function.INPUT, 0, 0, "", recorded=False, polled=False, identifies=True)


GENERIC = DeviceProfile(
    key=KEY,
    type="meter",
    brand="M-Bus",
    device_class="any",
    series="any M-Bus meter",
    models=("any meter of EN 13757",),
    points=(_who("serial"), _who("model")),
    traits=Traits(identify_s=IDENTIFY_S),
    serial=SerialDefaults(2400, "E", 1, 8, "the usual speed; 300 is the other one"),
    dialect=M_BUS,
    protocol_label="MBUS",
    status=Status.VERIFIED,
    sign=Sign.NONE,
    confidence="telegrams of 35 real meters decode as an independent decoder says",
    sources=("EN 13757-2", "EN 13757-3"),
)
"""Any M-Bus meter."""
