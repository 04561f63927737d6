"""What a profile file says of itself before its variables: enough to choose it, without reading the rest. Hides how
little of the file is looked at; what is wrong further down is told when the profile is loaded."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from attrs import frozen

from concentrator.model.errors import ProfileError
from concentrator.model.profile import Status
from concentrator.profile.schema import TABLES, Faults, shown
from concentrator.profile.toml import Read, read_one

_MARK = re.compile(r"^\s*match\s*=", re.MULTILINE)
_VARIABLES = re.compile(r"^\s*\[\[\s*variable\s*\]\]", re.MULTILINE)


@frozen
class Heading:
    """The series a profile is for, as people choose it: Type, Brand, Class, Series, Model (CcMaster user manual,
    6.2.1.4.3). `has_marks`: whether the file says how to recognise a device; `hidden`: the files of the same key that
    this `file` goes before."""

    key: str
    file: Path
    type: str
    brand: str
    device_class: str
    series: str
    models: tuple[str, ...]
    status: Status = Status.PROPOSED
    dialect: str = "modbus"
    doubts: tuple[str, ...] = ()
    has_marks: bool = False
    hidden: tuple[Path, ...] = ()

    @property
    def place(self) -> tuple[str, str, str, str]:
        """Type, Brand, Class and Series, which no other profile may have."""
        return self.type, self.brand, self.device_class, self.series


def read_heading(path: Path, key: str, hidden: tuple[Path, ...] = (), read: Read = read_one) -> Heading:
    """The heading of a file, under `key`, by a reader of TOML; raises ProfileError with all that is wrong with it."""
    faults = Faults(str(path))
    source = _text(path, faults)
    table = _profile(source, faults, read)
    said = faults.checked(table, TABLES["profile"], "profile") if not faults.found else None
    if faults.found or said is None:
        raise ProfileError(faults.found)
    return Heading(
        key,
        path,
        said["type"],
        said["brand"],
        said["class"],
        said["series"],
        tuple(said["models"]),
        Status(said.get("status", Status.PROPOSED)),
        said.get("dialect", "modbus"),
        tuple(said.get("doubts", ())),
        _MARK.search(source) is not None,
        hidden,
    )


def _text(path: Path, faults: Faults) -> str:
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        faults.note("", "", str(error), "a readable file in UTF-8")
        return ""


def _profile(source: str, faults: Faults, read: Read) -> dict[str, Any]:
    """The section [profile] of a text, empty where there is none."""
    try:
        table = _parsed(source, read).get("profile") if not faults.found else {}
    except tomllib.TOMLDecodeError as error:
        faults.note("", "", str(error), "TOML")
        return {}
    if isinstance(table, dict):
        return table
    faults.note("", "profile", "nothing" if table is None else shown(table), "a section [profile]")
    return {}


def _parsed(source: str, read: Read) -> dict[str, Any]:
    """The sections before the first variable, which is where [profile] is in all files but odd ones."""
    variables = _VARIABLES.search(source)
    if variables is not None:
        try:
            head = read(source[: variables.start()])
        except tomllib.TOMLDecodeError:  # the line may lie within a text
            return read(source)
        if "profile" in head:
            return head
    return read(source)
