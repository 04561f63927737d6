"""The rules that need more than one key of the configuration file. Each is a function of the whole configuration that
notes where it is broken, and its docstring is the rule as `docs/settings.md` has it; it says nothing about a value that
could not be read in the first place. All of them run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from concentrator.app.config_gateways import gateways_fit_their_lines, gateways_have_ports_of_their_own
from concentrator.app.config_mbus import meters_fit_their_lines
from concentrator.app.config_modem import modems_are_apart
from concentrator.app.config_panel import panel_names_what_is_there
from concentrator.app.config_sections import HIGHEST_ADDRESS, Config, DeviceSection, LineSection
from concentrator.app.config_slave import ROLE as SLAVE
from concentrator.app.config_slave import mirrors_have_their_devices, slaves_have_their_places
from concentrator.app.config_smartgen import sessions_have_their_controllers
from concentrator.app.config_sms import modems_are_there, ordered_devices_are_there
from concentrator.app.rule import written
from concentrator.app.setting import Faults
from concentrator.model.latency import base_interval_s, format_duration
from concentrator.model.profile import SUNSPEC, DeviceProfile
from concentrator.model.words import nearest
from concentrator.profile.mbus import KEY as M_BUS_METER
from concentrator.profile.mbus import M_BUS
from concentrator.profile.recognise import PLAIN
from concentrator.profile.secondary import has_secondaries

SERVED_ROLES = ("native", "external", "mbus")
"""The roles of lines that are read; on those whose role is slave others read the box."""
SERVED_PROTOCOLS = ("modbus-rtu", "modbus-tcp", M_BUS)
MOST_BESIDES_ID_1 = 32
"""Principals on the native bus besides the one that keeps ID 1 (CcMaster user manual, 6.3.2)."""
MOST_WIRELESS = 10
"""Principals reached over Wi-Fi (CcMaster user manual, 5.5.1)."""


def _lines_are_served(config: Config, faults: Faults) -> None:
    """A line's role and protocol are ones this version serves; modbus-tcp needs a `tcp:` endpoint, and the role slave
    modbus-rtu."""
    for name, line in config.lines.items():
        place = f"line.{name}"
        if not faults.are_readable(place, "role", "protocol"):
            continue
        if line.role == "spare":
            continue
        if line.role not in (*SERVED_ROLES, SLAVE):
            expected = f"one of {', '.join(SERVED_ROLES)}, {SLAVE}, spare; others come later"
            faults.add(place, "role", written(line.role), expected)
        elif line.role == SLAVE:
            if line.protocol != "modbus-rtu":
                expected = "modbus-rtu, for its role is slave; a section [modbus_slave.NAME] with a port needs no line"
                faults.add(place, "protocol", written(line.protocol), expected)
        elif line.protocol not in SERVED_PROTOCOLS:
            expected = f"one of {', '.join(SERVED_PROTOCOLS)}; others come later"
            faults.add(place, "protocol", written(line.protocol), expected)
        elif (
            line.protocol == "modbus-tcp"
            and faults.are_readable(place, "endpoint")
            and not line.endpoint.startswith("tcp:")
        ):
            faults.add(place, "endpoint", written(line.endpoint), "tcp:HOST:PORT, for the protocol is modbus-tcp")


def _wires_are_used_once(config: Config, faults: Faults) -> None:
    """No two lines have one serial port or one network address: devices behind one wire share its line, and many of
    those on a network accept one client only."""
    owners: dict[str, str] = {}
    for name, line in config.lines.items():
        if not faults.are_readable(f"line.{name}", "endpoint"):
            continue
        port = line.serial_address
        wire, kind = (port.path, "a port") if port else (":".join(line.endpoint.split(":")[:3]), "an address")
        if wire in owners:
            found = f"{written(wire)}, which [line.{owners[wire]}] has"
            faults.add(f"line.{name}", "endpoint", found, f"{kind} of its own; its devices can hang on one line")
        owners.setdefault(wire, name)


def _lines_exist(config: Config, faults: Faults) -> None:
    """A device's line is there, and is read: neither spare nor one on which the box answers others."""
    for uid, device in config.devices.items():
        place = f"device.{uid}"
        if not faults.are_readable(place, "line"):
            continue
        line = config.lines.get(device.line)
        if line is None:
            expected = f"one of {', '.join(config.lines)}" if config.lines else "a section [line.NAME]"
            faults.add(place, "line", written(device.line), expected, nearest(device.line, config.lines))
        elif line.role in ("spare", SLAVE) and faults.are_readable(f"line.{device.line}", "role"):
            what = "spare" if line.role == "spare" else "one on which the box answers others"
            faults.add(place, "line", written(device.line), f"a line that is read; this one is {what}")


def _placed(config: Config, faults: Faults) -> list[tuple[str, DeviceSection, LineSection | None]]:
    """Devices whose line and address are readable, and their line where there is one."""
    return [
        (uid, device, config.lines.get(device.line))
        for uid, device in config.devices.items()
        if faults.are_readable(f"device.{uid}", "address", "secondary") and device.line is not None
    ]


def _addresses_are_used_once(config: Config, faults: Faults) -> None:
    """No two devices of a line have one address (and, behind one principal, one `secondary`)."""
    owners: dict[tuple[str, int | str, int | None], str] = {}
    for uid, device, _ in _placed(config, faults):
        where = (device.line, device.address, device.secondary)
        if where in owners:
            of = f" (secondary {device.secondary})" if device.secondary else ""
            found = f"{device.address}{of}, which [device.{owners[where]}] has on line {device.line}"
            faults.add(f"device.{uid}", "address", found, "an address of its own")
        owners.setdefault(where, uid)


def _meters_fit_their_lines(config: Config, faults: Faults) -> None:
    meters_fit_their_lines(config, faults, HIGHEST_ADDRESS)


_meters_fit_their_lines.__doc__ = meters_fit_their_lines.__doc__


def _secondaries_are_of_their_principals_kind(config: Config, faults: Faults) -> None:
    """A secondary has the profile of its principal, the device without `secondary` at the same address."""
    placed = _placed(config, faults)
    principals = {(each.line, each.address): (uid, each) for uid, each, _ in placed if each.secondary is None}
    for uid, device, _ in placed:
        owner, principal = principals.get((device.line, device.address), (uid, device))
        is_readable = all(faults.are_readable(f"device.{each}", "profile") for each in (uid, owner))
        if device.secondary is not None and device.profile != principal.profile and is_readable:
            expected = f"{written(principal.profile)}, the profile of its principal [device.{owner}]"
            faults.add(f"device.{uid}", "profile", written(device.profile), expected)


def _native_addresses_leave_link_mode_its_own(config: Config, faults: Faults) -> None:
    """On a native line 247 belongs to link mode."""
    for uid, device, line in _placed(config, faults):
        if line is not None and line.role == "native" and device.address == HIGHEST_ADDRESS:
            expected = f"a whole number 1 … {HIGHEST_ADDRESS - 1} on a native line, for link mode has {HIGHEST_ADDRESS}"
            faults.add(f"device.{uid}", "address", str(device.address), expected)


def _native_lines_are_not_overfull(config: Config, faults: Faults) -> None:
    """A native line has at most 32 principals besides the one with ID 1."""
    for name, line in config.lines.items():
        if line.role != "native":
            continue
        addresses = {device.address for _, device, on in _placed(config, faults) if on is line} - {1}
        if len(addresses) > MOST_BESIDES_ID_1:
            found = f"{len(addresses)} devices besides the one with ID 1"
            faults.add(f"line.{name}", "", found, f"at most {MOST_BESIDES_ID_1} on a native line")


def _wireless_meters_are_not_too_many(config: Config, faults: Faults) -> None:
    """At most 10 native principals are reached over the network."""
    wireless = [
        uid
        for uid, device, line in _placed(config, faults)
        if line is not None and line.role == "native" and line.serial_address is None and device.secondary is None
    ]
    for uid in wireless[MOST_WIRELESS:]:
        found = f"{written(config.devices[uid].line)}, with {len(wireless)} native meters on the network in all"
        faults.add(f"device.{uid}", "line", found, f"at most {MOST_WIRELESS} native meters on the network")


def _serials_are_used_once(config: Config, faults: Faults) -> None:
    """No two devices have one serial."""
    owners: dict[str, str] = {}
    for uid, device in config.devices.items():
        if device.serial in owners:
            found = f"{written(device.serial)}, which [device.{owners[device.serial]}] has"
            faults.add(f"device.{uid}", "serial", found, "a serial of its own")
        elif device.serial:
            owners[device.serial] = uid


def _brokers_are_known(config: Config, faults: Faults) -> None:
    """An uplink that is enabled has its broker, with `tls = "self-signed"` its certificate, and to a key for the box's
    own certificate that certificate."""
    for place, uplink in config.mqtt.items():
        if not uplink.enabled or not faults.are_readable(place, "enabled"):
            continue
        if uplink.broker == "default" and faults.are_readable(place, "broker"):
            if not uplink.host:
                file = config.box.state_dir / "provisioning.toml"
                expected = f'"own", for this box was given no default broker: there is no [broker] in {file}'
                faults.add(place, "broker", written(uplink.broker), expected, rule="no_default_broker")
        elif not uplink.host and faults.are_readable(place, "host"):
            expected = "the broker, mqtt://HOST or mqtts://HOST, for the uplink is enabled"
            faults.add(place, "host", "nothing", expected, rule="host_needed")
        if uplink.is_encrypted and uplink.tls == "self-signed" and not uplink.cert_file:
            expected = 'the broker\'s certificate, for tls is "self-signed"'
            faults.add(place, "cert_file", "nothing", expected, rule="certificate_needed")
        if uplink.client_key_file and not uplink.client_cert_file:
            faults.add(place, "client_cert_file", "nothing", "the certificate that client_key_file belongs to")


def _prefixes_are_apart(config: Config, faults: Faults) -> None:
    """An uplink's two prefixes differ, and neither lies in the other."""
    for place, uplink in config.mqtt.items():
        if not faults.are_readable(place, "prefix_sub", "prefix_pub"):
            continue
        if uplink.prefix_sub == uplink.prefix_pub:
            faults.add(
                place, "prefix_pub", written(uplink.prefix_pub), "another prefix than prefix_sub", rule="prefix_same"
            )
        elif f"{uplink.prefix_pub}/".startswith(f"{uplink.prefix_sub}/") or f"{uplink.prefix_sub}/".startswith(
            f"{uplink.prefix_pub}/"
        ):
            expected = f"a prefix that neither holds prefix_sub {written(uplink.prefix_sub)} nor lies in it"
            other = written(uplink.prefix_sub)
            faults.add(place, "prefix_pub", written(uplink.prefix_pub), expected, rule="prefix_within", other=other)


def _the_server_is_known(config: Config, faults: Faults) -> None:
    """Sending files, where enabled, has its server."""
    if config.ftp.enabled and not config.ftp.server and faults.are_readable("ftp", "enabled", "server"):
        expected = "the server's name or address, for sending is enabled"
        faults.add("ftp", "server", "nothing", expected, rule="server_needed")


def _files_hold_whole_records(config: Config, faults: Faults) -> None:
    """`sending_latency` is a multiple of history's `latency`."""
    sending, history = config.ftp.sending_latency_s, config.history.latency_s
    if not faults.are_readable("ftp", "sending_latency") or not faults.are_readable("history", "latency"):
        return
    if config.ftp.enabled and config.history.enabled and sending % history:
        expected = f"a multiple of history's latency, {format_duration(history)}"
        found, of = written(format_duration(sending)), format_duration(history)
        faults.add("ftp", "sending_latency", found, expected, rule="sending_multiple", of=of)


def _latencies_are_whole_base_intervals(config: Config, faults: Faults) -> None:
    """Every latency is a multiple of the base interval, for coarser records are exact merges of base records."""
    latencies = config.latencies_s
    if not all(faults.are_readable(place, "latency", "enabled") for place in latencies):
        return
    base = base_interval_s(latencies.values())
    for place, each in latencies.items():
        if each % base:
            expected = f"a multiple of the base interval, {format_duration(base)} (the smallest latency, at most 1 min)"
            found, of = written(format_duration(each)), format_duration(base)
            faults.add(place, "latency", found, expected, rule="base_multiple", of=of)


def _encryption_is_there_where_it_is_asked_for(config: Config, faults: Faults) -> None:
    """Where `redirect` is true, or one of `rules` has ssl, there is an address in `https`; `tls` names a version."""
    web = config.web
    if faults.are_readable("web", "tls") and not web.tls:
        faults.add("web", "tls", "none", 'a list of "1.2", "1.3" or both')
    if not faults.are_readable("web", "https") or web.https:
        return
    if web.redirect:
        faults.add("web", "redirect", "true", "false, or an address in https")
    for rule in web.rules if faults.are_readable("web", "rules") else ():
        if rule.way.takes_ssl:
            faults.add("web", "rules", written(str(rule)), "a rule without ssl, or an address in https")


RULES: tuple[Callable[[Config, Faults], None], ...] = (
    _lines_are_served,
    _wires_are_used_once,
    _lines_exist,
    _addresses_are_used_once,
    _meters_fit_their_lines,
    _secondaries_are_of_their_principals_kind,
    _native_addresses_leave_link_mode_its_own,
    _native_lines_are_not_overfull,
    _wireless_meters_are_not_too_many,
    _serials_are_used_once,
    _brokers_are_known,
    _prefixes_are_apart,
    _the_server_is_known,
    _files_hold_whole_records,
    _latencies_are_whole_base_intervals,
    _encryption_is_there_where_it_is_asked_for,
    gateways_fit_their_lines,
    gateways_have_ports_of_their_own,
    sessions_have_their_controllers,
    panel_names_what_is_there,
    slaves_have_their_places,
    mirrors_have_their_devices,
    modems_are_there,
    ordered_devices_are_there,
    modems_are_apart,
)
"""Every one of them."""


def profiles_exist(config: Config, faults: Faults, profiles: Collection[str]) -> None:
    """Notes each device whose profile is not one of `profiles`, the keys of the catalogue."""
    for uid, device in config.devices.items():
        if faults.are_readable(f"device.{uid}", "profile") and device.profile not in (*profiles, M_BUS_METER):
            series = (each for each in profiles if each.endswith(f"/{device.profile}"))
            hint = nearest(device.profile, profiles) or next(series, "")
            faults.add(f"device.{uid}", "profile", written(device.profile), "a profile of the catalogue", hint)


def secondaries_are_possible(config: Config, faults: Faults, profiles: Mapping[str, DeviceProfile]) -> None:
    """Notes each secondary of a profile, as far as it is among `profiles` by key, that knows of none."""
    for uid, device in config.devices.items():
        profile = profiles.get(device.profile)
        if device.secondary is not None and profile is not None and not has_secondaries(profile):
            expected = f"none, for devices of {device.profile} have no secondaries"
            faults.add(f"device.{uid}", "secondary", str(device.secondary), expected)


def addresses_are_known(config: Config, faults: Faults, profiles: Mapping[str, DeviceProfile]) -> None:
    """Notes each device of a profile, as far as it is among `profiles` by key, whose registers nobody can find: they
    have neither a fixed place nor one in a chain of SunSpec models."""
    for uid, device in config.devices.items():
        profile = profiles.get(device.profile)
        if profile is not None and profile.dialect not in (PLAIN, SUNSPEC):
            expected = f"a profile whose dialect is {PLAIN} or {SUNSPEC}; this one's is {profile.dialect}"
            faults.add(f"device.{uid}", "profile", written(device.profile), expected)
