"""The settings of a running box: shown, judged, written and put to work. Hides which of them can change while it runs:
the file is always right, and what runs by an older one is named."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import define, evolve, field

from concentrator.actions.present import stamp
from concentrator.actions.settings import Changes
from concentrator.actions.table import Caller, Permission
from concentrator.app.config import SECTIONS, load_checked
from concentrator.app.config_edit import with_settings
from concentrator.app.config_file import ConfigFile
from concentrator.app.config_sections import Config
from concentrator.app.config_services import IMPLIED, SERVICES, given_by, service_sections
from concentrator.app.setting import Setting, settings_of
from concentrator.model.device import Device
from concentrator.model.errors import ConfigError, Denied, Fault, Unknown, WrongArguments
from concentrator.model.words import hint

LIVE = ("journal", "history", "mqtt", "ftp", "web", "panel", *SERVICES)
"""The sections whose every key takes effect while the box runs; of a serial line its speed does."""
NAMED = ("line", "device", "mqtt", *SERVICES)
_OFF: Mapping[str, Any] = {"enabled": False}
"""A section that is not there, of those that are off then."""


@define(eq=False)
class BoxSettings:
    """The settings in a file, and of the box that runs. `running` gives the configuration of now and the devices that
    are read, by short id; `apply` begins to put another one's LIVE sections to work; `now` gives UTC seconds."""

    _file: ConfigFile
    _running: Callable[[], tuple[Config, Mapping[str, Device]]]
    _apply: Callable[[Config], None]
    _now: Callable[[], float]
    _changed: dict[str, dict[str, object]] = field(factory=dict, init=False)

    def shown(self, section: str, key: str) -> dict[str, object]:
        """Section → key → value, as the file has it or by default, which secrets are set, and of the sections that were
        changed since the program began, by whom and when last. Raises Unknown for a section or key that is none,
        ConfigError for a file that cannot be read."""
        try:
            tables = _tables(tomllib.loads(self._file.text()))
        except tomllib.TOMLDecodeError as error:
            raise ConfigError([Fault(str(self._file.path), "", "", str(error), "valid TOML")]) from error
        if section == "mqtt":
            tables.setdefault(section, _OFF)
        if section.partition(".")[0] in IMPLIED and "." in section:
            tables.setdefault(section, {})
        known = {place: table for place, table in tables.items() if not section or place == section}
        if not known:
            raise Unknown(f"section {section}{hint(section, tables)}")
        values: dict[str, dict[str, object]] = {}
        secrets: list[str] = []
        for place, table in known.items():
            settings = _settings(place)
            if key and key not in settings:
                raise Unknown(f"key {key} of section {place}{hint(key, settings)}")
            chosen = [each for each in settings.values() if not key or each.key == key]
            values[place] = {each.key: table.get(each.key, each.plain) for each in chosen if not each.is_secret}
            secrets += [f"{place}.{each.key}" for each in chosen if each.is_secret and table.get(each.key)]
        return {"values": values, "secrets": secrets, "changed": {p: c for p, c in self._changed.items() if p in known}}

    def is_secret(self, section: str, key: str) -> bool:
        """Whether a value stays out of the audit: secrets, what is personal, and what is no setting."""
        setting = _settings(section).get(key)
        return setting is None or setting.is_secret or setting.is_personal

    def change(self, changes: Changes, caller: Caller, *, is_trial: bool) -> dict[str, object]:
        """See Settings. The answer: the keys that `changed`, those that take effect now (`live`), those for which the
        program must be started again (`restart`, older ones among them), and the warnings of the new file."""
        for place, keys in changes.items():
            self._must_be_a_section(place)
            if keys is None and place.partition(".")[0] not in SERVICES:
                raise WrongArguments(f"changes: {place}: found null, expected keys and values: this section stays")
        text = self._file.text()
        before, _ = load_checked(self._file.path, text)
        after_text = self._file.edited(lambda: with_settings(text, changes))
        after, _ = load_checked(self._file.path, after_text)
        _must_not_widen(before, after, caller)
        changed = list(_differences(before, after))
        running, devices = self._running()
        live, restart = _sorted_out(running, devices, after)
        if not is_trial and changed:
            self._file.write(after_text)
            told: dict[str, object] = {"by": caller.name, "at": stamp(self._now())}
            self._changed |= {place: told for place in changes}
            if live:
                self._apply(after)
        return {"changed": changed, "live": live, "restart": restart, "warnings": list(after.warnings)}

    def _must_be_a_section(self, place: str) -> None:
        kind, _, name = place.partition(".")
        if kind == "device":
            raise WrongArguments(
                f"{place}: devices have actions of their own: device.add, device.change, device.remove"
            )
        if kind not in SECTIONS or (name and kind not in NAMED) or (kind in ("line", *SERVICES) and not name):
            raise ConfigError(
                [Fault(str(self._file.path), place, "", "an unknown section", "a section of docs/settings.md")]
            )


def effective(running: Config, after: Config) -> Config:
    """What runs once the LIVE sections of another configuration are put to work."""
    lines = {
        name: after.lines[name] if _is_other_speed(running, after, name) else line
        for name, line in running.lines.items()
    }
    past = evolve(running, journal=after.journal, history=after.history, panel=after.panel)
    return evolve(past, mqtt=after.mqtt, ftp=after.ftp, web=after.web, services=after.services, lines=lines)


def _is_other_speed(running: Config, after: Config, name: str) -> bool:
    """Whether a line is the same serial port, only faster or slower."""
    one, other = running.lines.get(name), after.lines.get(name)
    if one is None or other is None or one.serial_address is None or other.serial_address is None:
        return False
    as_fast = evolve(one.serial_address, baudrate=other.serial_address.baudrate)
    return one != other and as_fast == other.serial_address and evolve(one, endpoint=other.endpoint) == other


def _tables(parsed: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The sections of a file by place, and those that it leaves to their defaults."""
    found: dict[str, Mapping[str, Any]] = {}
    for kind in SECTIONS:
        table = parsed.get(kind, {})
        if not isinstance(table, dict):
            continue
        own = {key: value for key, value in table.items() if not isinstance(value, dict)} if kind != "line" else {}
        if kind not in NAMED or own:
            found[kind] = _OFF if kind == "ftp" and kind not in parsed else own
        if kind in NAMED:
            found |= {f"{kind}.{name}": each for name, each in table.items() if isinstance(each, dict)}
    return found


def _settings(place: str) -> dict[str, Setting]:
    section = SECTIONS.get(place.partition(".")[0])
    return {} if section is None else {each.key: each for each in settings_of(section)}


def _sections(config: Config) -> dict[str, Any]:
    """The sections of a configuration by place."""
    single = {name: getattr(config, name) for name in ("box", "journal", "history", "ftp", "web", "panel")}
    lines = {f"line.{name}": each for name, each in config.lines.items()}
    devices = {f"device.{uid}": each for uid, each in config.devices.items()}
    return {**single, **lines, **devices, **config.mqtt, **dict(service_sections(config))}


def _differences(one: Config, other: Config) -> Iterator[str]:
    """The keys in which two configurations differ; of a section that one of them has not, the section."""
    before, after = _sections(one), _sections(other)
    for place in {**before, **after}:
        if place not in before or place not in after:
            yield place
            continue
        for each in _settings(place).values():
            if getattr(before[place], each.attribute) != getattr(after[place], each.attribute):
                yield f"{place}.{each.key}"


def _sorted_out(running: Config, devices: Mapping[str, Device], after: Config) -> tuple[list[str], list[str]]:
    """What of a configuration can be put to work now, and what only by a restart."""
    live: list[str] = []
    restart: list[str] = []
    for place in _differences(running, after):
        kind = place.partition(".")[0]
        is_live = kind in LIVE or (kind == "line" and _is_other_speed(running, after, place.split(".")[1]))
        if kind != "device":
            (live if is_live else restart).append(place)
    wanted = {uid: section.device(uid) for uid, section in after.devices.items()}
    restart += [f"device.{uid}" for uid in {**devices, **wanted} if devices.get(uid) != wanted.get(uid)]
    return live, restart


def _must_not_widen(before: Config, after: Config, caller: Caller) -> None:
    """Nobody gives, to himself or to another road, what he may not do: an uplink or a service that takes more classes
    of commands than the caller is left as it is, and so are the portal and where its users are kept by who does not
    decide about them."""
    if _gate(before) != _gate(after) and Permission.USERS not in caller.allowed:
        places = "[web] and state_dir, plugin_dirs and manual_defaults of [box]"
        raise Denied(f"{places} are changed by who may decide about users, which {caller.name} may not")
    was = {**before.mqtt, **dict(service_sections(before))}
    roads = [(place, section, set(section.allow)) for place, section in after.mqtt.items()]
    roads += [(place, section, set(given_by(section))) for place, section in service_sections(after)]
    for place, section, given in roads:
        beyond = given - set(caller.allowed)
        if beyond and section != was.get(place):
            classes = ", ".join(sorted(beyond))
            raise Denied(f"[{place}] allows {classes}, which {caller.name} is not; change it on the box")


def _gate(config: Config) -> object:
    """All of a configuration that who may use the portal depends on."""
    return config.web, config.box.state_dir, config.box.plugin_dirs, config.box.manual_defaults
