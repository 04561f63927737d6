"""The catalogue of device profiles for people: what there is, what one says, and what is wrong with one's own files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from concentrator.model.errors import Fault, ProfileError
from concentrator.model.profile import Block, DeviceProfile, Point
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.evidence import evidence_faults
from concentrator.profile.heading import Heading
from concentrator.profile.load import load_profile
from concentrator.profile.mbus import KEY as M_BUS_METER
from concentrator.profile.plan import plan_blocks


def listed(catalogue: Catalogue, **wanted: str | None) -> list[dict[str, object]]:
    """Every series of a catalogue, each as JSON would have it; of those `wanted`, by `type` or `brand` in any case,
    where they are named."""
    found = map(_described, catalogue.headings())
    return [
        each
        for each in found
        if all(value is None or str(each[name]).casefold() == value.casefold() for name, value in wanted.items())
    ]


def lines_of(profiles: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """The list for people."""
    width = max((len(str(each["key"])) for each in profiles), default=0)
    for each in profiles:
        yield f"{each['key']:<{width}}  {each['type']}: {each['brand']} {each['series']} ({each['status']})"
        for hidden in each["hidden"] if isinstance(each["hidden"], list) else ():
            yield f"{'':<{width}}  {each['file']} goes before {hidden}"


def shown(catalogue: Catalogue, key: str) -> dict[str, object]:
    """All that a profile says, as JSON would have it; raises ProfileError when there is none of that key."""
    profile = catalogue.get(key)
    describes_itself = key == M_BUS_METER
    return {
        "key": key,
        "file": "" if describes_itself else str(catalogue.file(key)),
        "type": profile.type,
        "brand": profile.brand,
        "class": profile.device_class,
        "series": profile.series,
        "models": list(profile.models),
        "status": str(profile.status),
        "confidence": profile.confidence,
        "sign": None if profile.sign is None else str(profile.sign),
        "sources": list(profile.sources),
        "doubts": list(profile.doubts),
        "commands": [command.name for command in profile.commands],
        "commands_verified": bool(profile.settings.get("commands_verified")),
        "verified_models": profile.settings.get("verified_models", list(profile.models)),
        "variables": [] if describes_itself else [_variable(point) for point in profile.points],
        "reads": [] if describes_itself else [_read(block) for block in plan_blocks(profile)],
    }


def _read(block: Block) -> list[object]:
    return [str(block.function), block.address, block.count]


def lines_of_one(one: Mapping[str, object]) -> Iterator[str]:
    """The same for people."""
    yield f"{one['key']}  {one['type']}: {one['brand']}, {one['class']}, {one['series']}"
    yield f"file      {one['file'] or 'none is needed'}"
    yield f"models    {', '.join(_texts(one['models']))}"
    yield f"status    {one['status']}: {one['confidence']}"
    if one["sign"]:
        yield f"sign      a positive power is {_SIGNS[str(one['sign'])]}"
    for word in ("sources", "doubts"):
        for number, text in enumerate(_texts(one[word])):
            yield f"{'' if number else word:<9} {text}"
    if commands := _texts(one["commands"]):
        yield f"commands  {', '.join(commands)}"
        for_whom = f"for {', '.join(_texts(one['verified_models']))}" if one["commands_verified"] else "for no model"
        yield f"          verified {for_whom}"
    yield ""
    if not one["variables"]:
        says_all = "a meter says what it measures with every telegram; `ccmaster mbus read LINE ADDRESS` shows it"
        yield says_all if one["key"] == M_BUS_METER else "nothing is read of it: it is only passed through to"
        return
    rows = [("variable", "unit", "kind", "rate", "place", "type", "two sources")]
    variables = one["variables"]
    rows += [
        (
            str(each["name"]),
            str(each["unit"]),
            str(each["kind"]),
            str(each["rate"]),
            f"{each['function']} {each['address']}",
            str(each["type"]),
            "yes" if each["checked"] else "",
        )
        for each in (variables if isinstance(variables, list) else ())
    ]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


_SIGNS = {"import": "taken from the grid", "generation": "given out", "none": "just that: its direction is not told"}


def checked(places: Iterable[Path]) -> tuple[list[DeviceProfile], tuple[Fault, ...]]:
    """The profiles in files, and in folders that hold BRAND/SERIES.toml, and every fault of theirs; an empty folder is
    one, and an exchange kept as evidence that does not decode to what it is said to."""
    profiles: list[DeviceProfile] = []
    faults: list[Fault] = []
    for place in places:
        if place.is_dir():
            catalogue = Catalogue([place], shipped=())
            keys = catalogue.keys()
            faults += catalogue.faults() if keys else [_empty(place)]
            files = {key: catalogue.file(key) for key in keys}
        else:
            files = {f"{place.absolute().parent.name}/{place.stem}": place}
        for key, file in files.items():
            try:
                profile = load_profile(file, key)
            except ProfileError as error:
                faults += [fault for fault in error.faults if fault not in faults]
                continue
            profiles.append(profile)
            faults += evidence_faults(profile, str(file))
    return profiles, tuple(faults)


def lines_of_checked(profiles: Iterable[DeviceProfile]) -> Iterator[str]:
    """What is right, for people."""
    for profile in profiles:
        reads = plan_blocks(profile)
        yield (
            f"{profile.key}: {len(profile.points)} variables in {len(reads)} reads, {profile.status}, "
            f"{len(profile.evidence)} exchanges decode as stated"
        )


def catalogue_of(folders: Sequence[Path]) -> Catalogue:
    """The shipped profiles and before them those of one's own folders, as far as these exist."""
    return Catalogue([folder for folder in folders if folder.is_dir()])


def _empty(place: Path) -> Fault:
    return Fault(str(place), "", "", "no profile", "a folder with files BRAND/SERIES.toml")


def _described(heading: Heading) -> dict[str, object]:
    return {
        "key": heading.key,
        "type": heading.type,
        "brand": heading.brand,
        "class": heading.device_class,
        "series": heading.series,
        "models": list(heading.models),
        "status": str(heading.status),
        "file": str(heading.file),
        "hidden": list(map(str, heading.hidden)),
    }


def _variable(point: Point) -> dict[str, object]:
    quantity = point.quantity
    return {
        "name": quantity.name,
        "label": quantity.label,
        "unit": quantity.unit,
        "kind": str(quantity.kind),
        "rate": str(point.rate) if point.every_s is None else f"{point.every_s:g} s",
        "function": str(point.function),
        "address": point.address,
        "type": point.encoding,
        "checked": point.checked,
        "writable": point.writable,
    }


def _texts(value: object) -> list[str]:
    return list(map(str, value)) if isinstance(value, list) else []
