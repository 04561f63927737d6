"""Small profile files written for a test, and what a loaded one says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import tomlkit

from concentrator.model.errors import Fault, ProfileError
from concentrator.model.profile import DeviceProfile, Point
from concentrator.profile.load import parse_profile

IDENTITY = {"type": "meter", "brand": "Acme", "class": "three-phase", "series": "M1", "models": ["M1"]}


def variable(name: str = "v1", **keys: Any) -> dict[str, Any]:
    """A [[variable]] table: volts in one holding register at 0 where `keys` say nothing else."""
    return {"name": name, "unit": "V", "function": "holding", "address": 0, "type": "u16", **keys}


def text(variables: Sequence[Mapping[str, Any]], profile: Mapping[str, Any] | None = None, /, **sections: Any) -> str:
    """The text of a profile file."""
    return tomlkit.dumps({"profile": {**IDENTITY, **(profile or {})}, "variable": list(variables), **sections})


def load(*variables: Mapping[str, Any], profile: Mapping[str, Any] | None = None, **sections: Any) -> DeviceProfile:
    """The profile of a file with these variables."""
    return parse_profile(text(variables, profile, **sections), "acme/m1", "m1.toml")


def load_point(name: str = "v1", profile: Mapping[str, Any] | None = None, **keys: Any) -> Point:
    """The only point of a file with one variable."""
    return load(variable(name, **keys), profile=profile).points[0]


def faults(*variables: Mapping[str, Any], profile: Mapping[str, Any] | None = None, **sections: Any) -> list[Fault]:
    """The faults of a file with these variables."""
    return faults_of(text(variables, profile, **sections))


def faults_of(source: str) -> list[Fault]:
    """The faults of a file with this text."""
    with pytest.raises(ProfileError) as caught:
        parse_profile(source, "acme/m1", "m1.toml")
    return list(caught.value.faults)


def said(found: Sequence[Fault]) -> list[str]:
    """The faults as people read them."""
    return [str(fault) for fault in found]
