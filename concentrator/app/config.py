"""The configuration file, loaded: TOML text → frozen sections. Hides in how many steps a file is read, so that every
fault of it comes out in one run, each with its place, what was found, the rule and the nearest valid name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from attrs import evolve

from concentrator.app.config_gateways import gateway_warnings
from concentrator.app.config_panel import PanelSection
from concentrator.app.config_rules import RULES, addresses_are_known, profiles_exist, secondaries_are_possible
from concentrator.app.config_sections import (
    NAME,
    BoxSection,
    Config,
    DeviceSection,
    HistorySection,
    JournalSection,
    LineSection,
    WebSection,
)
from concentrator.app.config_services import SERVICES
from concentrator.app.config_slave import slave_warnings
from concentrator.app.config_smartgen import smartgen_warnings
from concentrator.app.config_uplinks import NARROW_LATENCY, NARROW_MODEL, FtpSection, MqttSection
from concentrator.app.provisioning import default_broker, with_default
from concentrator.app.rule import written
from concentrator.app.setting import Faults, read_section, settings_of
from concentrator.model.errors import ConfigError, ProfileError
from concentrator.model.profile import DeviceProfile
from concentrator.profile.catalogue import Catalogue

__all__ = ["SECTIONS", "Config", "load", "load_checked"]

S = TypeVar("S")
Protected = TypeVar("Protected", MqttSection, FtpSection)

SECTIONS: Mapping[str, type[Any]] = {
    "box": BoxSection,
    "line": LineSection,
    "device": DeviceSection,
    "journal": JournalSection,
    "history": HistorySection,
    "mqtt": MqttSection,
    "ftp": FtpSection,
    "web": WebSection,
    "panel": PanelSection,
    **SERVICES,
}
"""The class of each section; those of `line`, `device`, the services and further `mqtt` sections are named, as in
[line.NAME]."""

LATER = tuple(name for name in ("solar", "smartgen") if name not in SERVICES)
"""Sections of the contract that a later version serves."""
_BY_ID = Path("/dev/serial/by-id")


def load(path: Path, profiles: Collection[str] | None = None) -> Config:
    """The configuration in a file. `profiles`: the keys of the catalogue, None where they are not to be checked.
    Raises ConfigError with every fault of the file."""

    def check_profiles(config: Config, faults: Faults) -> None:
        if profiles is not None:
            profiles_exist(config, faults, profiles)

    return _load(path, check_profiles)


def load_checked(path: Path, text: str | None = None) -> tuple[Config, Catalogue]:
    """The configuration in a file, and the catalogue of its own `plugin_dirs`, which has the profiles of all its
    devices. `text`: what the file is to hold, where that is not on the disk yet. Raises ConfigError with every fault
    of the file and of the profiles its devices use."""
    catalogues: list[Catalogue] = []

    def check_profiles(config: Config, faults: Faults) -> None:
        catalogues.append(catalogue := Catalogue(config.box.plugin_dirs))
        known = catalogue.keys()
        profiles_exist(config, faults, known)
        loaded: dict[str, DeviceProfile] = {}
        for key in sorted({device.profile for device in config.devices.values()} & set(known)):
            try:
                loaded[key] = catalogue.get(key)
            except ProfileError as error:
                faults.found.extend(error.faults)
        secondaries_are_possible(config, faults, loaded)
        addresses_are_known(config, faults, loaded)

    return _load(path, check_profiles, text), catalogues[0]


def state_dir_of(path: Path) -> Path:
    """The state folder that a file names, whatever else is wrong with it; the default one without a file. Raises
    ConfigError where the file cannot be read, or that key of it."""
    faults = Faults(str(path))
    tables = _parsed(path, faults) if path.exists() else {}
    box: BoxSection = _Reading(tables, path.absolute().parent, faults).single("box")
    if not faults.are_readable("box", "state_dir"):
        raise ConfigError(faults.found)
    return box.state_dir


def _load(path: Path, check_profiles: Callable[[Config, Faults], None], text: str | None = None) -> Config:
    faults = Faults(str(path))
    tables = _parsed(path, faults, text)
    reading = _Reading(tables, path.absolute().parent, faults)
    config = Config(
        path,
        box=reading.single("box"),
        lines=reading.named("line", LineSection),
        devices=reading.named("device", DeviceSection),
        journal=reading.single("journal"),
        history=reading.single("history"),
        mqtt=reading.uplinks(),
        ftp=reading.single("ftp") if "ftp" in tables else FtpSection(enabled=False),
        web=reading.single("web"),
        panel=reading.single("panel"),
        services={kind: reading.named(kind, section) for kind, section in SERVICES.items() if kind in tables},
    )
    config = evolve(
        config,
        mqtt={place: _at_its_broker(each, place, config.box, faults) for place, each in config.mqtt.items()},
        ftp=_with_password(config.ftp, "ftp", faults),
    )
    for name, table in tables.items():
        if name not in SECTIONS and name not in LATER:
            faults.unknown(*((name, "") if isinstance(table, dict) else ("", name)), "section", (*SECTIONS, *LATER))
    for rule in RULES:
        rule(config, faults)
    check_profiles(config, faults)
    if faults.found:
        order = {place: at for at, place in enumerate(_places(tables))}
        raise ConfigError(sorted(faults.found, key=lambda fault: order.get(fault.section, len(order))))
    warnings = tuple(f"{path}: {warning}" for warning in _warnings(config, tables))
    sends = config.ftp.enabled and config.history.enabled
    return evolve(config, ftp=evolve(config.ftp, enabled=sends), warnings=warnings)


def _parsed(path: Path, faults: Faults, text: str | None = None) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8") if text is None else text)
    except OSError as error:
        faults.add("", "", (error.strerror or str(error)).lower(), "a file that can be read")
    except UnicodeDecodeError as error:
        faults.add("", "", f"a byte at {error.start} that is no UTF-8", "TOML text in UTF-8")
    except tomllib.TOMLDecodeError as error:
        faults.add("", "", str(error)[:1].lower() + str(error)[1:], "valid TOML")
    raise ConfigError(faults.found)


def _places(tables: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """The sections of the file, in its order."""
    for name, table in tables.items():
        if isinstance(table, dict):
            yield above + name
            yield from _places(table, f"{above}{name}.")


class _Reading:
    """The tables of one file on their way to sections."""

    def __init__(self, tables: Mapping[str, Any], folder: Path, faults: Faults) -> None:
        self._tables = tables
        self._folder = folder
        self._faults = faults

    def single(self, name: str) -> Any:
        """The section [name], with its defaults where the file has none."""
        return self._section(SECTIONS[name], self._table(name), name)

    def named(self, name: str, section: type[S]) -> dict[str, S]:
        """The sections [name.KEY] by key."""
        return {key: self._section(section, table, f"{name}.{key}") for key, table in self._tables_of(name)}

    def uplinks(self) -> dict[str, MqttSection]:
        """[mqtt], where it has a key of its own or stands alone, and the [mqtt.NAME]."""
        table = self._table("mqtt")
        box = self._tables.get("box")
        is_narrow = isinstance(box, dict) and box.get("model") == NARROW_MODEL
        usual = {"latency": NARROW_LATENCY} if is_narrow else {}
        keys = {each.key for each in settings_of(MqttSection)}
        further = {key: value for key, value in table.items() if isinstance(value, dict) and key not in keys}
        own = {key: value for key, value in table.items() if key not in further}
        found = {}
        if "mqtt" in self._tables and (own or not further):
            found["mqtt"] = self._section(MqttSection, usual | own, "mqtt")
        for key, value in further.items():
            if self._is_name("mqtt", key):
                found[f"mqtt.{key}"] = self._section(MqttSection, usual | value, f"mqtt.{key}")
        return found

    def _table(self, name: str) -> dict[str, Any]:
        table = self._tables.get(name, {})
        if isinstance(table, dict):
            return table
        self._faults.add("", name, written(table), f"a section, [{name}]")
        return {}

    def _tables_of(self, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for key, table in self._table(name).items():
            if not isinstance(table, dict):
                self._faults.add(name, key, written(table), f"a section, [{name}.NAME]")
            elif self._is_name(name, key):
                yield key, table

    def _is_name(self, section: str, key: str) -> bool:
        if re.fullmatch(NAME, key):
            return True
        self._faults.add(section, "", f"the name {written(key)}", "a name of letters, digits, underscores and hyphens")
        return False

    def _section(self, section: type[Any], table: Mapping[str, Any], place: str) -> Any:
        return read_section(section, table, place, self._faults, self._folder)


def _at_its_broker(section: MqttSection, place: str, box: BoxSection, faults: Faults) -> MqttSection:
    """The section with the password its file holds; with where the default broker is, where that is its broker."""
    if section.broker != "default" or not section.enabled:
        return _with_password(section, place, faults)
    try:
        return with_default(section, default_broker(box.state_dir))
    except ConfigError as error:
        faults.found.extend(error.faults)
        return evolve(section, enabled=False)


def _with_password(section: Protected, place: str, faults: Faults) -> Protected:
    """The section with the password its file holds."""
    file = section.password_file
    if file is None:
        return section
    if section.password:
        faults.add(place, "password_file", "password as well", "one of the two")
        return section
    try:
        password = file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no UTF-8 text"
        faults.add(place, "password_file", f"{written(str(file))} ({reason.lower()})", "a file that can be read")
        return section
    return evolve(section, password=password)


def _lasting_name(port: Path) -> str:
    """The name of a USB adapter that does not depend on the order of plugging in, as far as the machine has it."""
    links = sorted(_BY_ID.glob("*")) if _BY_ID.is_dir() else []
    return str(next((link for link in links if link.resolve() == port.resolve()), _BY_ID / "…"))


def _warnings(config: Config, tables: Mapping[str, Any]) -> Iterator[str]:
    """What is no fault, but not what its writer may think."""
    for name in LATER:
        if name in tables:
            yield f"[{name}] is for a later version and is left out"
    for name, line in config.lines.items():
        port = line.serial_address
        if port is not None and line.role != "spare" and not Path(port.path).exists():
            yield f"[line.{name}] endpoint: {port.path} is not there now; the line waits for it"
        if port is not None and re.fullmatch(r"/dev/tty(USB|ACM)\d+", port.path):
            lasting = _lasting_name(Path(port.path))
            yield f"[line.{name}] endpoint: {port.path} may be another adapter after replugging; {lasting} stays it"
    principals = {(each.line, each.address) for each in config.devices.values() if each.secondary is None}
    for uid, device in config.devices.items():
        if device.secondary is not None and (device.line, device.address) not in principals:
            lacking = f"ID {device.address} on line {device.line}, is not configured"
            yield f"[device.{uid}] secondary: its principal, {lacking}"
    yield from gateway_warnings(config)
    yield from smartgen_warnings(config)
    yield from slave_warnings(config)
    if config.ftp.enabled and not config.history.enabled:
        yield "[ftp] sends nothing while [history] is off"
