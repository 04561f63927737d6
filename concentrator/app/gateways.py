"""The transparent M-Bus gateways, put together. Hides what Twisted needs to listen, and that they come and go while the
box runs; what is only imported where there is a gateway."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, DeferredList

from concentrator.actions.gateways import GatewayState
from concentrator.app.config_gateways import GatewaySection
from concentrator.app.config_sections import Config
from concentrator.line.line import Line
from concentrator.model.errors import Unknown
from concentrator.model.words import hint
from concentrator.poll.poller import Poller

if TYPE_CHECKING:
    from concentrator.app.ways import Around
    from concentrator.mbusgate.doorman import Opening
    from concentrator.mbusgate.gateway import Gateway


class Lines(Protocol):
    """The lines of the box."""

    def line(self, name: str) -> Line:
        """A line."""

    def poller(self, name: str) -> Poller:
        """What is read on it."""


@frozen(eq=False)
class _Made:
    section: GatewaySection
    gateway: Gateway


@define(eq=False, repr=False)
class Gateways:
    """The gateways of a configuration, by name, on the lines of a box; a Way."""

    _lines: Lines
    _reactor: Any
    _made: dict[str, _Made] = field(factory=dict, init=False)

    def start(self, config: Config) -> None:
        """Opens those that the configuration has and that are not there yet."""
        for name, section in _wanted(config).items():
            if name not in self._made:
                gateway = self._build(name, section)
                self._made[name] = _Made(section, gateway)
                gateway.start()

    def leave(self, config: Config) -> Deferred[Any]:
        """Closes those that the configuration has no more, or has with other settings; fires when that is done."""
        wanted = _wanted(config)
        left = [name for name, made in self._made.items() if wanted.get(name) != made.section]
        return DeferredList([self._made.pop(name).gateway.stop() for name in left])

    def stop(self) -> Deferred[Any]:
        """Closes all of them."""
        made, self._made = self._made, {}
        return DeferredList([each.gateway.stop() for each in made.values()])

    def states(self) -> list[GatewayState]:
        """What people see of each."""
        return [made.gateway.state() for made in self._made.values()]

    def disconnect(self, name: str) -> None:
        """Throws the client of one out; raises Unknown."""
        if name not in self._made:
            raise Unknown(f"M-Bus gateway {name}{hint(name, self._made)}")
        self._made[name].gateway.disconnect()

    def _build(self, name: str, section: GatewaySection) -> Gateway:
        from concentrator.mbusgate.gateway import Gateway
        from concentrator.mbusgate.terms import Terms

        line = self._lines.line(section.line)
        terms = Terms(
            keepalive_s=section.keepalive_s,
            disconnect_s=section.disconnect_timeout_s,
            networks=section.allow,
            is_queueing=section.when_busy == "queue",
            is_shared=section.sharing == "time-sliced",
            addresses=frozenset(section.addresses),
            is_framed=section.forwarding == "frames",
        )
        openings = list(_openings(section, self._reactor))
        return Gateway(name, line, terms, openings, self._lines.poller(section.line), line.clock)


def _wanted(config: Config) -> Mapping[str, GatewaySection]:
    return {name: section for name, section in config.gateways.items() if section.enabled}


def _openings(section: GatewaySection, reactor: Any) -> Iterable[Opening]:
    from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint

    from concentrator.mbusgate.doorman import Opening
    from concentrator.mbusgate.tls import Credentials, TlsEndpoint

    make = TCP6ServerEndpoint if ":" in section.interface else TCP4ServerEndpoint
    for key, port in section.ports.items():
        plain = make(reactor, port, interface=section.interface)
        if key == "port":
            yield Opening(plain, f"tcp:{port}")
        else:
            assert section.cert_file is not None and section.key_file is not None, "the rules of the file say so"
            credentials = Credentials(section.cert_file, section.key_file, section.clients_ca_file)
            yield Opening(TlsEndpoint(plain, credentials), f"tls:{port}", is_tls=True)


def build(around: Around) -> Gateways:
    """The way of `[mbus_gateway.NAME]`."""
    return Gateways(around.field_, around.reactor)
