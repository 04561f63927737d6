"""What each model has: the feature matrix, the only place that knows it (CC-ID3; CcMaster user manual, 1)."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen


@frozen
class Features:
    """What a model has: Ethernet, a modem, so many relays, an analogue output of 0 to 10 V."""

    has_ethernet: bool = False
    has_modem: bool = False
    relays: int = 0
    has_analogue: bool = False


FEATURES: Mapping[str, Features] = {
    "Lite": Features(),
    "Lite Plus": Features(has_ethernet=True, relays=2),
    "Lite NBIoT": Features(has_modem=True, relays=2),
    "PRO": Features(has_ethernet=True, has_modem=True, relays=2, has_analogue=True),
}
"""By the model's name, as the configuration has it."""
