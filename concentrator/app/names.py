"""Looking up the names of hosts, in threads that nobody waits for: a name server that is away holds up a connection,
but not the end of the program, as Twisted's own way does. Hides the machine's resolver."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

from attrs import frozen
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver, IHostResolution, IResolutionReceiver
from zope.interface import implementer

from concentrator.app.threads import LooseThreads

_MOST = 4
"""How many names are looked up at a time; further ones wait, each for as long as its connection may take."""

LookUp = Callable[..., Sequence[tuple[Any, ...]]]
"""`look_up(host, port, type=…)`: what `socket.getaddrinfo` gives, or raises OSError."""


@implementer(IHostResolution)
@frozen
class _Resolution:
    name: str

    def cancel(self) -> None:
        """Nothing: whoever asked listens no more."""


@implementer(IHostnameResolver)
class LooseNames:
    """A resolver for `reactor.installNameResolver`."""

    def __init__(self, reactor: Any, look_up: LookUp = socket.getaddrinfo) -> None:
        self._threads = LooseThreads(reactor, "names", _MOST)
        self._look_up = look_up

    def resolveHostName(  # noqa: N802 - Twisted's name, and those of its arguments
        self,
        resolutionReceiver: IResolutionReceiver,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type[Any]] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> IHostResolution:
        """Tells the receiver every address of a name, and that there are no more."""
        resolution = _Resolution(hostName)
        kind = socket.SOCK_DGRAM if transportSemantics == "UDP" else socket.SOCK_STREAM
        resolutionReceiver.resolutionBegan(resolution)

        def found(rows: Sequence[tuple[Any, ...]]) -> None:
            for family, _, _, _, place in rows:
                address = {socket.AF_INET: IPv4Address, socket.AF_INET6: IPv6Address}.get(family)
                if address is not None and (addressTypes is None or address in addressTypes):
                    resolutionReceiver.addressResolved(address(transportSemantics, *place))

        looking = self._threads.run(lambda: self._look_up(hostName, portNumber, type=kind))
        # A name that nobody knows has no addresses: the endpoint has the words for that.
        looking.addCallbacks(found, lambda failure: failure.trap(OSError) and None)
        looking.addBoth(lambda _: resolutionReceiver.resolutionComplete())
        return resolution
