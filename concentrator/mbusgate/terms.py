"""On which terms clients have a line, and own reading stands aside for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from attrs import frozen
from twisted.internet.defer import Deferred

from concentrator.mbusgate.guests import Network

LINGER_S = 5.0
"""How long after its last client left own reading resumes, where a client has the line to itself."""
SILENCE_S = 3.0
"""How long a client must be silent, where the line is shared by time, until others may speak."""
ABANDONED_S = 30.0
"""The same for one that is in the middle of something."""
QUEUE_MOST = 8
"""How many clients may wait for their turn."""


@frozen
class Terms:
    """On which terms clients have the line. `keepalive_s`, `disconnect_s`: 0 for never; `networks` they may come from;
    `is_queueing`: a second client waits, else it is refused; `is_shared`: while its client is silent, the line is read;
    `addresses`: the only ones it may talk to, any where it is empty; `is_framed`: it is handed whole frames."""

    keepalive_s: float = 45.0
    disconnect_s: float = 10.0
    networks: Sequence[Network] = ()
    is_queueing: bool = False
    is_shared: bool = False
    addresses: frozenset[int] = frozenset()
    is_framed: bool = False

    def as_shown(self) -> Mapping[str, object]:
        """The same for people; times in seconds."""
        return {
            "Keep Alive": self.keepalive_s,
            "Disconnect Timeout": self.disconnect_s,
            "When busy": "queue" if self.is_queueing else "refuse",
            "Sharing": "time-sliced" if self.is_shared else "exclusive",
            "Forwarding": "frames" if self.is_framed else "bytes",
            "Addresses": sorted(self.addresses),
            "Allowed networks": [str(network) for network in self.networks],
        }


class Polling(Protocol):
    """Own reading on the line."""

    suspended: str

    def suspend(self, reason: str) -> Deferred[None]:
        """Asks nothing more; fails with Busy where that is so already."""

    def go_on(self) -> None:
        """Asks again."""
