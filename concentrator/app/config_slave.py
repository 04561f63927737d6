"""What the configuration file may say of slave ports: their section, and the rules that need more than one key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from attrs import frozen

from concentrator.app.config_gateways import HOUR_S, NEARBY, interface, network
from concentrator.app.rule import choice, duration, flag, listed, text, whole, written
from concentrator.app.setting import Faults, setting
from concentrator.mbusgate.guests import Network
from concentrator.model.words import nearest

if TYPE_CHECKING:
    from concentrator.app.config_sections import Config

HIGHEST_UNIT = 247
KIND = "modbus_slave"
ROLE = "slave"


@frozen
class SlaveSection:
    """A Modbus ID at which the box answers others, `[modbus_slave.NAME]`: on a line whose role is slave, or at a TCP
    port. Several may share a line or a port, each with its own `unit`. The protocol knows no password; see `allow`."""

    enabled: bool = setting(flag(), True, "Whether it answers.")
    line: str = setting(
        text("the name of a line", r"[A-Za-z0-9_-]*"), "", "The line on which it answers; empty: at `port`."
    )
    port: int = setting(whole(0, 65535), 0, "The TCP port at which it answers; 0: on `line`.")
    interface: str = setting(
        interface(), "0.0.0.0", 'Where it listens: everywhere, or at this address of the box; `"::"`: IPv6 as well.'
    )
    allow: tuple[Network, ...] = setting(
        listed(network()), list(NEARBY), "The networks clients may connect from; as it is, none of the Internet's."
    )
    clients: int = setting(
        whole(1, 64),
        8,
        "How many may be connected at a time. One that has asked nothing for a minute goes when another one comes.",
    )
    unit: int = setting(whole(1, HIGHEST_UNIT), 1, "The Modbus ID at which it answers.")
    serve: str = setting(
        choice("map", "mirror"),
        "map",
        "What it shows: the box's own map of all devices, or one device as if the master talked to it.",
    )
    device: str = setting(
        text("the short id of a device", r"[A-Za-z0-9_-]*"), "", "With `mirror`: whose registers it shows."
    )
    max_age_s: float = setting(
        duration(1, HOUR_S),
        "30 s",
        "How old may be what is shown; what is read more rarely may be three of its rounds old.",
        key="max_age",
    )
    write: bool = setting(
        flag(),
        False,
        "Whether it may be written to, as far as the devices themselves may (`allow_write`, `allow_raw`).",
    )
    ask: bool = setting(
        flag(), False, "With `mirror`: whether registers that the box does not read are asked of the device."
    )

    @property
    def place(self) -> tuple[object, ...]:
        """Where it answers, and all that is settled there for everybody who answers there too."""
        if self.line:
            return ("line", self.line)
        return ("tcp", self.port, self.interface, self.allow, self.clients)

    @property
    def label(self) -> str:
        """Where it answers, for people."""
        return f"line {self.line}" if self.line else f"tcp:{self.port}"

    @property
    def gives(self) -> frozenset[str]:
        """The classes of actions that it carries out for others."""
        return frozenset({"write"} if self.enabled and self.write else ())

    def told(self) -> str:
        """What it would do, in a line; empty where it is off."""
        if not self.enabled:
            return ""
        what = "the map of all devices" if self.serve == "map" else f"the registers of {self.device}"
        return f"{what} at {self.label}, Modbus ID {self.unit}{', may be written to' if self.write else ''}"


def _slaves(config: Config) -> dict[str, SlaveSection]:
    return dict(config.services.get(KIND, {}))


def slaves_have_their_places(config: Config, faults: Faults) -> None:
    """A slave port has either a `line`, which is there and whose role is slave, or a `port`, which no gateway has;
    those that share a port agree in `interface`, `allow` and `clients`, and no two in one place have one `unit`."""
    gateways = {port: name for name, each in config.gateways.items() if each.enabled for port in each.ports.values()}
    units: dict[tuple[object, int], str] = {}
    ports: dict[int, tuple[str, SlaveSection]] = {}
    for name, slave in _slaves(config).items():
        place = f"{KIND}.{name}"
        if not slave.enabled or not faults.are_readable(place, "line", "port", "unit", "enabled"):
            continue
        if slave.line:
            _has_its_line(config, place, slave, faults)
            if slave.port:
                faults.add(place, "port", str(slave.port), "0, for it answers on a line; another section for a port")
        elif not slave.port:
            faults.add(place, "port", "0", "the TCP port at which it answers, or a line")
        elif slave.port in gateways:
            found = f"{slave.port}, which [mbus_gateway.{gateways[slave.port]}] has"
            faults.add(place, "port", found, "a port of its own")
        elif faults.are_readable(place, "interface", "allow", "clients"):
            first, other = ports.setdefault(slave.port, (name, slave))
            for key in ("interface", "allow", "clients"):
                if getattr(slave, key) != getattr(other, key):
                    expected = f"what [{KIND}.{first}] has, which answers at port {slave.port} too"
                    faults.add(place, key, "something else", expected)
        where = (slave.line or slave.port, slave.unit)
        if where in units:
            found = f"{slave.unit}, which [{KIND}.{units[where]}] has at {slave.label}"
            faults.add(place, "unit", found, "a Modbus ID of its own")
        units.setdefault(where, name)


def _has_its_line(config: Config, place: str, slave: SlaveSection, faults: Faults) -> None:
    on = config.lines.get(slave.line)
    known = [name for name, line in config.lines.items() if line.role == ROLE]
    if on is None:
        expected = f"one of {', '.join(known)}" if known else "a section [line.NAME] whose role is slave"
        faults.add(place, "line", written(slave.line), expected, nearest(slave.line, known))
    elif on.role != ROLE and faults.are_readable(f"line.{slave.line}", "role"):
        faults.add(place, "line", f"{written(slave.line)}, whose role is {on.role}", "a line whose role is slave")


def mirrors_have_their_devices(config: Config, faults: Faults) -> None:
    """A slave port with `serve = "mirror"` has its `device`, which is there and is read by Modbus; no other has one."""
    for name, slave in _slaves(config).items():
        place = f"{KIND}.{name}"
        if not slave.enabled or not faults.are_readable(place, "serve", "device"):
            continue
        if slave.serve != "mirror":
            if slave.device:
                faults.add(place, "device", written(slave.device), 'nothing, but with serve = "mirror"')
            continue
        device = config.devices.get(slave.device)
        if device is None:
            expected = f"one of {', '.join(config.devices)}" if config.devices else "a section [device.KEY]"
            faults.add(place, "device", written(slave.device), expected, nearest(slave.device, config.devices))
            continue
        line = config.lines.get(device.line)
        if line is not None and not line.protocol.startswith("modbus"):
            faults.add(place, "device", f"{written(slave.device)}, which speaks {line.protocol}", "one read by Modbus")


def slave_warnings(config: Config) -> Iterator[str]:
    """Of slave ports that are open to more than the neighbourhood, and slave lines that nobody answers on."""
    slaves = _slaves(config)
    for name, slave in slaves.items():
        wide = [str(each) for each in slave.allow if not each.is_private]
        if slave.enabled and slave.port and wide:
            may = "read and write" if slave.write else "read"
            yield f"[{KIND}.{name}] allow: anybody in {', '.join(wide)} may {may} its registers, without a password"
    answered = {slave.line for slave in slaves.values() if slave.enabled}
    for name, line in config.lines.items():
        if line.role == ROLE and name not in answered:
            yield f"[line.{name}] role: nobody answers on it; a section [{KIND}.NAME] with line = {written(name)} would"
