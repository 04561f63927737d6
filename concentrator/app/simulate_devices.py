"""The devices of a simulated line, as its options name them: CcMs as on a native bus, or devices of any profiles. Hides
how a profile becomes a layout of registers, and which Modbus IDs those get that were given none."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from concentrator.app.simulate_line import Simulated, WrongDevices
from concentrator.model.profile import SUNSPEC, DeviceProfile
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.mbus import M_BUS
from concentrator.sim.meter import CcmMeter, ccm_meter, ccm_meters, unlinked_meters
from concentrator.sim.profile_device import ProfileDevice, profile_device
from concentrator.sim.profile_map import ProfileMap

CCM = "energycm/ccm"
_OF_A_BUS = ("link", "log", "baudrate", "precise", "strict", "echo", "silent", "crc", "noise", "capture")
_LAST_ID = 247
_USUAL_BAUDRATE = 9600


def simulated(options: argparse.Namespace, at: float) -> Simulated:
    """The line that the options of `simulate_options` describe, mounted at `at` (UTC seconds). Raises ProfileError for
    a profile that is not there or wrong, and WrongDevices where the options or the IDs contradict each other."""
    of_a_bus = [f"--{name}" for name in _OF_A_BUS if getattr(options, name)]
    if options.tcp is not None and of_a_bus:
        raise WrongDevices(f"--tcp: found with {', '.join(of_a_bus)}, which are for a serial port")
    catalogue, seed = Catalogue(options.dir), str(options.seed)
    if options.profile:
        if options.registers or options.unlinked or options.secondaries:
            raise WrongDevices("--profile: found with --registers, --unlinked or --secondaries, which are for CcMs")
        return _of_profiles(options.profile, catalogue, seed, at)
    profile = catalogue.get(CCM)
    linked = ccm_meters(profile, options.meters, seed, at, options.secondaries)
    unlinked = unlinked_meters(profile, options.unlinked, seed, at, after=options.meters)
    return Simulated(meters=[*linked, *unlinked], linked=options.meters)


def _of_profiles(wanted: Sequence[tuple[str, Sequence[int]]], catalogue: Catalogue, seed: str, at: float) -> Simulated:
    profiles = [catalogue.get(key) for key, _ in wanted]
    if any(profile.dialect == M_BUS for profile in profiles):
        raise WrongDevices("--profile: found one of M-Bus meters, expected those of Modbus devices")
    devices: list[ProfileDevice] = []
    meters: list[CcmMeter] = []
    for profile, units in zip(profiles, _units(wanted, profiles), strict=True):
        if profile.key == CCM:
            meters += [ccm_meter(profile, unit, seed, at) for unit in units]
        else:
            layout = _layout(profile)
            devices += [profile_device(layout, unit, seed) for unit in units]
    serial = next((profile.serial for profile in profiles if profile.serial is not None), None)
    baudrate = _USUAL_BAUDRATE if serial is None else serial.baudrate
    return Simulated(devices, meters, linked=len(meters), baudrate=baudrate)


def _layout(profile: DeviceProfile) -> ProfileMap:
    if profile.dialect != SUNSPEC:
        return ProfileMap(profile)
    from concentrator.sim.sunspec import sunspec_map

    return sunspec_map(profile)


def _units(wanted: Sequence[tuple[str, Sequence[int]]], profiles: Sequence[DeviceProfile]) -> Sequence[Sequence[int]]:
    """The IDs of each: those given, or the one it has from the factory, or the first that is free."""
    given = [unit for _, units in wanted for unit in units]
    taken = set(given)
    if len(taken) < len(given):
        twice = next(unit for unit in given if given.count(unit) > 1)
        raise WrongDevices(f"Modbus ID {twice}: found two devices, expected one")
    chosen: list[Sequence[int]] = []
    for (key, units), profile in zip(wanted, profiles, strict=True):
        own = profile.settings.get("default_id")
        likely = (own,) if isinstance(own, int) and 1 <= own <= _LAST_ID else ()
        unit = next((each for each in (*likely, *range(1, _LAST_ID + 1)) if each not in taken), None)
        if not units and unit is None:
            raise WrongDevices(f"{key}: found no free Modbus ID")
        chosen.append(units or (unit or 0,))
        taken.update(chosen[-1])
    return chosen
