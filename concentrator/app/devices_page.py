"""The page about the devices there are profiles for, docs/devices.md, made from the catalogue.

python -m concentrator.app.devices_page > docs/devices.md
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from concentrator.model.profile import SUNSPEC, DeviceProfile, Point, Sign, Status
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.recognise import marks

_HEAD = """\
# Devices

What there are profiles for. This page is made by `make docs` from the catalogue, the files under `plugins/`;
`ccmaster profiles show BRAND/SERIES` says the same of one, with every register. A device that is missing is one file:
[Adding a device](adding-a-device.md).
"""
_STATES = {
    Status.VERIFIED: "read from a real device",
    Status.CROSS_CHECKED: "the main values agree in two sources, which may have copied from one another",
    Status.SINGLE_SOURCE: "one source says so, or two agree on little",
    Status.PROPOSED: "our own proposal",
}
_SIGNS = {
    Sign.IMPORT: "taken from the grid",
    Sign.GENERATION: "given out",
    Sign.NONE: "not told apart from its opposite",
}
_TYPES = {"meter": "Meters", "analyser": "Analysers", "inverter": "Inverters", "genset": "Generating sets"}


def devices_page(catalogue: Catalogue) -> str:
    """The page, in Markdown."""
    profiles = [catalogue.get(heading.key) for heading in catalogue.headings()]
    return "\n".join([_HEAD, *_summary(profiles), *_overview(profiles), *_brands(profiles)])


def _summary(profiles: Sequence[DeviceProfile]) -> Iterator[str]:
    counts = Counter(profile.status for profile in profiles)
    models, variables = sum(len(one.models) for one in profiles), sum(len(one.points) for one in profiles)
    yield f"{len(profiles)} profiles, {models} models or families of models, {variables} variables.\n"
    yield "| status | profiles | what it means |\n|---|---:|---|"
    for status, words in _STATES.items():
        yield f"| {status} | {counts[status]} | {words} |"
    yield "\nExcept where a profile is *verified*, compare a few values with the device's own display on site.\n"
    yield "Signs are the same for all: analysers and meters count power taken from the grid as positive, inverters what"
    yield "they give out; a battery's power is positive while it discharges. Where a device counts the other way, its"
    yield "profile turns the sign. Variables that two sources agree on are in bold.\n"


def _overview(profiles: Sequence[DeviceProfile]) -> Iterator[str]:
    for type_, heading in _TYPES.items():
        rows = [profile for profile in profiles if profile.type == type_]
        if rows:
            yield f"## {heading}\n"
            yield "| profile | brand | class | series | variables | status |\n|---|---|---|---|---:|---|"
            for one in rows:
                yield f"| [{one.key}](#{_anchor(one.key)}) | {one.brand} | {one.device_class} | {one.series} | " + (
                    f"{len(one.points)} | {one.status} |"
                )
            yield ""


def _brands(profiles: Sequence[DeviceProfile]) -> Iterator[str]:
    for brand, of_brand in groupby(sorted(profiles, key=lambda one: one.brand.casefold()), lambda one: one.brand):
        yield f"## {brand}\n"
        for profile in of_brand:
            yield from _profile(profile)


def _profile(profile: DeviceProfile) -> Iterator[str]:
    yield f"### {profile.key}\n"
    yield f"{_sentence(profile)}\n"
    yield f"* Models: {', '.join(profile.models)}"
    yield f"* Status: {profile.status}; {profile.confidence}"
    if profile.sign is not None:
        yield f"* A positive power is {_SIGNS[profile.sign]}"
    yield from (f"* {text}" for text in _reached(profile))
    yield f"* Variables: {_variables(profile.points)}"
    yield from (f"* Doubt: {doubt}" for doubt in profile.doubts)
    yield f"* Sources: {'; '.join(profile.sources)}"
    yield ""


def _sentence(profile: DeviceProfile) -> str:
    kind = profile.type if profile.device_class in ("native", "SunSpec") else f"{profile.device_class} {profile.type}"
    return f"{profile.brand} {profile.series}, {kind}."


def _reached(profile: DeviceProfile) -> Iterator[str]:
    """How it is reached before anybody has set anything, and whether a scan recognises it."""
    if profile.serial is not None:
        line = profile.serial
        sure = f" ({line.confidence})" if line.confidence else ""
        yield f"Serial line: {line.baudrate} {line.bytesize}{line.parity}{line.stopbits}{sure}"
    tcp = profile.settings.get("tcp")
    if isinstance(tcp, dict):
        unit = f", ID {tcp['unit_id']}" if "unit_id" in tcp else ""
        yield f"Network: port {tcp['port']}{unit}"
    if "default_id" in profile.settings:
        yield f"Modbus ID from the factory: {profile.settings['default_id']}"
    if profile.dialect == SUNSPEC:
        yield "It is read by the SunSpec models found in it, of which these are the main one's variables"
    elif marks(profile):
        yield "A scan recognises it"


def _variables(points: Iterable[Point]) -> str:
    """The names by unit; what two sources agree on is in bold."""
    units: dict[str, list[str]] = {}
    for point in points:
        if not point.identifies:
            name = f"**{point.name}**" if point.checked else point.name
            units.setdefault(point.quantity.unit or "no unit", []).append(name)
    return "; ".join(f"{unit}: {' '.join(names)}" for unit, names in units.items())


def _anchor(key: str) -> str:
    """Where Markdown puts the heading of a profile: letters, digits and hyphens of it."""
    return key.replace("/", "").lower()


if __name__ == "__main__":
    print(devices_page(Catalogue()), end="")
