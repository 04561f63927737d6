"""What a configuration would run, without running it: lines with their devices and the periods each line can keep,
the journal, and the ways out. Hides how a plan is worked out and how it is put into words."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from attrs import asdict, frozen

from concentrator.app.config import Config, load_checked
from concentrator.app.config_sections import DeviceSection, LineSection
from concentrator.app.config_services import service_sections
from concentrator.app.config_slave import ROLE as SLAVE
from concentrator.dialect.modbus import ModbusDialect, dialects
from concentrator.line.serial_address import M_BUS_PORT
from concentrator.model.device import Device
from concentrator.model.errors import ConfigError
from concentrator.model.latency import format_duration
from concentrator.model.profile import Block, DeviceProfile, Function
from concentrator.poll.forecast import Kept, Wanted, forecast, session_s
from concentrator.poll.polled import period_s
from concentrator.poll.poller import IDENTIFY_S
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.mbus import M_BUS
from concentrator.wire.conversation import LineSettings

_ALL = Block(Function.INPUT, 0, 0)  # all that an M-Bus meter says


@frozen
class ReadPlan:
    """One read of a device: `count` registers or bits from `address`, every how many seconds wanted and kept."""

    function: str
    address: int
    count: int
    wanted_s: float
    kept_s: float


@frozen
class DevicePlan:
    """One device of a line and its reads; there are none of one that is only passed through to."""

    uid: str
    alias: str
    profile: str
    address: int | str
    secondary: int | None
    reads: tuple[ReadPlan, ...]
    passes_through: bool = False


@frozen
class LinePlan:
    """One line; `utilisation` is the share of its time that the wanted periods take, more than 1 when it cannot keep
    them."""

    name: str
    endpoint: str
    role: str
    protocol: str
    utilisation: float
    devices: tuple[DevicePlan, ...]


@frozen
class UplinkPlan:
    """One way out: where to, and every how many seconds."""

    section: str
    address: str
    every_s: int
    what: str


@frozen
class ServicePlan:
    """A service beside the main road: its section, and what it would do."""

    section: str
    what: str


@frozen
class Plan:
    """What a configuration would run."""

    file: str
    model: str
    timezone: str
    state_dir: str
    base_interval_s: int
    base_keep_s: float
    history_latency_s: int | None
    history_keep_s: float
    lines: tuple[LinePlan, ...]
    uplinks: tuple[UplinkPlan, ...]
    services: tuple[ServicePlan, ...]
    pages: tuple[str, ...]
    warnings: tuple[str, ...]


def plan(config: Config, catalogue: Catalogue) -> Plan:
    """The plan of a configuration whose profiles are in the catalogue."""
    history = config.history
    return Plan(
        str(config.file),
        config.box.model,
        str(config.box.timezone),
        str(config.box.state_dir),
        config.base_interval_s,
        config.journal.base_keep_s,
        history.latency_s if history.enabled else None,
        history.keep_s,
        tuple(_line_plan(config, name, line, catalogue) for name, line in config.lines.items()),
        tuple(_uplink_plans(config)),
        tuple(ServicePlan(place, what) for place, each in service_sections(config) if (what := each.told())),
        tuple(_page(each) for each in config.web.listen),
        config.warnings,
    )


def _line_plan(config: Config, name: str, line: LineSection, catalogue: Catalogue) -> LinePlan:
    devices = {uid: each for uid, each in config.devices.items() if each.line == name}
    serial = line.serial_address
    settings = serial.settings if serial else None
    dialect = dialects().get(line.protocol)
    wanted: list[Wanted] = []
    if dialect is not None:
        for uid, each in devices.items():
            wanted += _wanted(each.device(uid), catalogue.get(each.profile), dialect, settings)
    if line.protocol == M_BUS:
        wanted += [_telegrams(uid, each, settings) for uid, each in devices.items()]
    seen = forecast(wanted, settings)
    return LinePlan(
        name,
        line.endpoint,
        line.role,
        line.protocol,
        round(seen.utilisation, 4),
        tuple(
            DevicePlan(
                uid,
                each.alias,
                each.profile,
                each.address,
                each.secondary,
                tuple(_read_plan(kept) for kept in seen.reads if kept.wanted.owner == uid),
                not catalogue.get(each.profile).points,
            )
            for uid, each in devices.items()
        ),
    )


def _telegrams(uid: str, device: DeviceSection, settings: LineSettings | None) -> Wanted:
    """The read of an M-Bus meter, which says all it has in one go. Behind a network is a line of the usual speed."""
    cost_s = session_s(settings or M_BUS_PORT.settings, is_selected=isinstance(device.address, str))
    return Wanted(uid, _ALL, device.interval_s, cost_s=cost_s)


def _wanted(
    device: Device, profile: DeviceProfile, dialect: ModbusDialect, settings: LineSettings | None
) -> Iterator[Wanted]:
    """The reads of a device: those of the cycle, and those that tell who it is."""
    station = dialect.station(profile, device.address, {"settings": settings, "secondary": device.secondary})
    for block in station.blocks:
        yield Wanted(device.uid, block, period_s(block, device), profile.traits.pause_s)
    for block in station.who:
        yield Wanted(device.uid, block, IDENTIFY_S, profile.traits.pause_s)


def _read_plan(kept: Kept) -> ReadPlan:
    block = kept.wanted.block
    if block is _ALL:
        return ReadPlan("telegrams", 0, 0, kept.wanted.period_s, round(kept.period_s, 3))
    return ReadPlan(block.function.value, block.address, block.count, kept.wanted.period_s, round(kept.period_s, 3))


def _uplink_plans(config: Config) -> Iterator[UplinkPlan]:
    for section, each in config.mqtt.items():
        if each.enabled:
            yield UplinkPlan(section, f"{each.host}:{each.port}", each.latency_s, f"messages under {each.prefix_sub}")
    if config.ftp.enabled:
        ftp = config.ftp
        address = f"{'ftps' if ftp.tls else 'ftp'}://{ftp.server}:{ftp.port}/{ftp.directory.lstrip('/')}"
        yield UplinkPlan("ftp", address, ftp.sending_latency_s, f"{config.history.format} files")


def _page(listen: str) -> str:
    _, port, *interface = listen.replace("\\:", "\0").split(":")
    address = interface[0].partition("=")[2].replace("\0", ":") if interface else "localhost"
    return f"http://{f'[{address}]' if ':' in address else address}:{port}/"


def lines_of(plan: Plan) -> Iterator[str]:
    """The plan for people, line by line."""
    yield f"{plan.file}: no faults. This would run:"
    yield f"  box      {plan.model}, {plan.timezone}, state in {plan.state_dir}"
    for line in plan.lines:
        yield f"  line     {line.name}: {line.endpoint}, {line.role}{_load_of(line)}"
        for device in line.devices:
            yield f"    {device.uid}: {device.profile}, {_address(device)}{_periods(device)}"
    keep = format_duration(plan.base_keep_s)
    yield f"  journal  base records every {format_duration(plan.base_interval_s)}, kept {keep}"
    if plan.history_latency_s is not None:
        kept = format_duration(plan.history_keep_s)
        yield f"  history  records every {format_duration(plan.history_latency_s)}, kept {kept}"
    for uplink in plan.uplinks:
        yield f"  {uplink.section:<8} {uplink.address}, {uplink.what} every {format_duration(uplink.every_s)}"
    for service in plan.services:
        yield f"  {service.section}: {service.what}"
    for page in plan.pages:
        yield f"  web      {page}"


def _load_of(line: LinePlan) -> str:
    if line.role in ("spare", SLAVE):
        return ""
    over = f"; more than it has, so all periods grow {line.utilisation:.3g} times" if line.utilisation > 1 else ""
    return f", {line.protocol}: {line.utilisation:.0%} of its time{over}"


def _address(device: DevicePlan) -> str:
    secondary = "" if device.secondary is None else f", secondary {device.secondary}"
    alias = f' "{device.alias}"' if device.alias else ""
    return f"ID {device.address}{secondary}{alias}"


def _periods(device: DevicePlan) -> str:
    if device.passes_through:
        return "; passed through to, not read"
    if not device.reads:
        return "; read once its models are found"
    kept = {read.wanted_s: read.kept_s for read in sorted(device.reads, key=lambda read: read.wanted_s)}
    return "; read every " + ", ".join(
        format_duration(wanted_s) if kept_s == wanted_s else f"{_rounded(kept_s)} (wanted {format_duration(wanted_s)})"
        for wanted_s, kept_s in kept.items()
    )


def _rounded(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds < 100 else format_duration(round(seconds))


def check(path: Path, as_json: bool = False) -> int:
    """Prints every fault of a file to standard error and gives 2, or its plan to standard output and gives 0."""
    try:
        config, catalogue = load_checked(path)
    except ConfigError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        return 2
    found = plan(config, catalogue)
    for warning in found.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    print(json.dumps(asdict(found), indent=2, ensure_ascii=False) if as_json else "\n".join(lines_of(found)))
    return 0
