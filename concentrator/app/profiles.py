"""The catalogue of device profiles for people: what there is, and what is wrong with one's own files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from concentrator.model.errors import Fault
from concentrator.profile.catalogue import Catalogue


def listed(folders: Sequence[Path] = ()) -> list[dict[str, object]]:
    """Every profile in the folders, or without any every shipped one, each as JSON would have it."""
    catalogue = Catalogue(folders, shipped=()) if folders else Catalogue()
    keys = catalogue.keys()
    return [_described(key, catalogue) for key in keys]


def lines_of(profiles: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """The list for people."""
    width = max((len(str(each["key"])) for each in profiles), default=0)
    for each in profiles:
        yield f"{each['key']:<{width}}  {each['type']}: {each['brand']} {each['series']}"


def faults_in(folders: Sequence[Path]) -> tuple[Fault, ...]:
    """Every fault of every profile file, BRAND/SERIES.toml, in the folders; an empty folder is one."""
    faults: list[Fault] = []
    for folder in folders:
        catalogue = Catalogue([folder], shipped=())
        faults += catalogue.faults()
        if not catalogue.keys():
            faults.append(Fault(str(folder), "", "", "no profile", "a folder with files BRAND/SERIES.toml"))
    return tuple(faults)


def _described(key: str, catalogue: Catalogue) -> dict[str, object]:
    profile = catalogue.get(key)
    return {
        "key": key,
        "type": profile.type,
        "brand": profile.brand,
        "class": profile.device_class,
        "series": profile.series,
        "models": list(profile.models),
        "variables": len(profile.points),
        "confidence": profile.confidence,
    }
