"""What the configuration file may say of transparent M-Bus gateways: their section, and the rules that need more than
one key."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import Factory, frozen

from concentrator.app.rule import Mismatch, Rule, choice, duration, flag, listed, path, text, whole, written
from concentrator.app.setting import Faults, setting
from concentrator.mbusgate.guests import Network
from concentrator.model.words import nearest

if TYPE_CHECKING:
    from concentrator.app.config_sections import Config

HOUR_S = 3600
NEARBY = (
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "::1/128",
    "fe80::/10",
    "fc00::/7",
)
"""The networks that nobody reaches from the Internet (RFC 6890)."""


def network() -> Rule:
    """A network of IP addresses, or one of them."""

    def read(raw: Any) -> Network:
        try:
            return ip_network(raw if isinstance(raw, str) else "")
        except ValueError:
            raise Mismatch from None

    return Rule("network", 'a network such as "192.168.1.0/24", or an address', read, "network")


def interface() -> Rule:
    """An IP address of the box."""

    def read(raw: Any) -> str:
        try:
            return str(ip_address(raw if isinstance(raw, str) else ""))
        except ValueError:
            raise Mismatch from None

    return Rule("address", "an IP address of the box", read, "own_address")


@frozen
class GatewaySection:
    """A transparent gateway to an M-Bus line, `[mbus_gateway.NAME]`: whoever connects has the raw line. The protocol
    knows no password; see `allow`, and `clients_ca_file`."""

    line: str = setting(text("the name of a line", r"[A-Za-z0-9_-]+"), meaning="The M-Bus line.")
    enabled: bool = setting(flag(), True, "Whether it listens.")
    port: int = setting(whole(0, 65535), 10001, "The TCP port; 0: only `tls_port`.")
    interface: str = setting(
        interface(), "0.0.0.0", 'Where it listens: everywhere, or at this address of the box; `"::"`: IPv6 as well.'
    )
    allow: tuple[Network, ...] = setting(
        listed(network()), list(NEARBY), "The networks clients may connect from; as it is, none of the Internet's."
    )
    keepalive_s: float = setting(
        duration(0, HOUR_S),
        "45 s",
        "After how long a silence TCP asks whether a client is there; `0 s`: never.",
        key="keepalive",
    )
    disconnect_timeout_s: float = setting(
        duration(0, HOUR_S),
        "10 s",
        "A client is let go after so long without data in either direction; `0 s`: never.",
        key="disconnect_timeout",
    )
    when_busy: str = setting(
        choice("refuse", "queue"), "refuse", "What happens to a second client: it is refused, or waits for its turn."
    )
    sharing: str = setting(
        choice("exclusive", "time-sliced"),
        "exclusive",
        "Whether the box reads the line only when no client is connected (from 5 s after the last one), or also while "
        "its client has been silent for 3 s.",
    )
    forwarding: str = setting(
        choice("bytes", "frames"),
        "bytes",
        "Whether the client gets each byte as it comes, or whole frames, which costs less processor time.",
    )
    addresses: tuple[int, ...] = setting(
        listed(whole(0, 255)),
        [],
        "The only primary addresses the client may talk to, 253 among them where meters are selected by their "
        "secondary address; empty: everybody, and anything may be said.",
    )
    tls_port: int = setting(whole(0, 65535), 0, "The TCP port for TLS; 0: none.")
    cert_file: Path | None = setting(
        path(), None, "With `tls_port`: the box's certificate, PEM, with what vouches for it."
    )
    key_file: Path | None = setting(
        path(),
        Factory(lambda self: self.cert_file, takes_self=True),
        "Its key, PEM.",
        shown="in the certificate's file",
    )
    clients_ca_file: Path | None = setting(
        path(), None, "With `tls_port`: the authority, PEM, that must vouch for every TLS client.", shown="nobody must"
    )

    @property
    def ports(self) -> dict[str, int]:
        """The ports that it has, by key."""
        return {key: port for key, port in (("port", self.port), ("tls_port", self.tls_port)) if port}

    @property
    def gives(self) -> frozenset[str]:
        """The classes of actions that it carries out for others."""
        return frozenset({"write"} if self.enabled else ())

    def told(self) -> str:
        """What it would do, in a line; empty where it is off."""
        if not self.enabled:
            return ""
        ports = " and ".join(f"{'tls' if key == 'tls_port' else 'tcp'}:{port}" for key, port in self.ports.items())
        return f"{ports} to line {self.line}, {self.sharing}"


def gateways_fit_their_lines(config: Config, faults: Faults) -> None:
    """A gateway's line is there and is an M-Bus line (its role is mbus), and no line has two gateways."""
    owners: dict[str, str] = {}
    for name, gateway in config.gateways.items():
        place = f"mbus_gateway.{name}"
        if not faults.are_readable(place, "line", "enabled"):
            continue
        on = config.lines.get(gateway.line)
        if on is None:
            known = [each for each, line in config.lines.items() if line.role == "mbus"]
            expected = f"one of {', '.join(known)}" if known else "a section [line.NAME] whose role is mbus"
            faults.add(place, "line", written(gateway.line), expected, nearest(gateway.line, known))
        elif on.role != "mbus" and faults.are_readable(f"line.{gateway.line}", "role"):
            faults.add(place, "line", f"{written(gateway.line)}, whose role is {on.role}", "a line whose role is mbus")
        elif gateway.enabled and gateway.line in owners:
            found = f"{written(gateway.line)}, which [mbus_gateway.{owners[gateway.line]}] has"
            faults.add(place, "line", found, "a line of its own")
        if gateway.enabled:
            owners.setdefault(gateway.line, name)


def gateways_have_ports_of_their_own(config: Config, faults: Faults) -> None:
    """Every gateway has a `port` or a `tls_port`, a `tls_port` its certificate, and no two ports are one."""
    owners: dict[int, str] = {}
    for name, gateway in config.gateways.items():
        place = f"mbus_gateway.{name}"
        if not gateway.enabled or not faults.are_readable(place, "port", "tls_port", "enabled"):
            continue
        if not gateway.ports:
            faults.add(place, "port", "0", "a port, for there is no tls_port either")
        if gateway.tls_port and gateway.cert_file is None and faults.are_readable(place, "cert_file"):
            faults.add(place, "cert_file", "nothing", "the box's certificate, for there is a tls_port")
        for key, port in gateway.ports.items():
            if port in owners:
                faults.add(place, key, f"{port}, which {owners[port]} has", "a port of its own")
            owners.setdefault(port, f"[{place}] {key}")


def gateway_warnings(config: Config) -> Iterator[str]:
    """Of gateways that are open to more than the neighbourhood."""
    for name, gateway in config.gateways.items():
        wide = [str(each) for each in gateway.allow if not each.is_private]
        if gateway.enabled and wide and ("port" in gateway.ports or gateway.clients_ca_file is None):
            where = ", ".join(wide)
            yield f"[mbus_gateway.{name}] allow: anybody in {where} may talk to its meters, without a password"
