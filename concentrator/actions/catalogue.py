"""The catalogue of device profiles as actions: searched by words, gone through level by level as people choose a device
(Type, Brand, Class, Series, Model), and one profile in full. Hides how words are matched, and how a profile's facts
become JSON."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission
from concentrator.model.errors import ProfileError, Unknown
from concentrator.model.profile import DeviceProfile

HITS = 20
WITHIN = 3
"""From how many letters on a word is also found within another: "et" is in every meter."""
LEVELS = ("type", "brand", "class", "series", "model")


class Headed(Protocol):
    """What is known of a profile without its variables."""

    @property
    def key(self) -> str:
        """brand/series, as files are called."""

    @property
    def type(self) -> str:
        """Meter, analyser, inverter, …"""

    @property
    def brand(self) -> str:
        """Who makes it."""

    @property
    def device_class(self) -> str:
        """Its class."""

    @property
    def series(self) -> str:
        """Its series."""

    @property
    def models(self) -> Sequence[str]:
        """Its models."""

    @property
    def status(self) -> Any:
        """How far its facts were confirmed."""


class Profiles(Protocol):
    """The profiles there are."""

    def headings(self) -> Iterable[Headed]:
        """What every file says of itself."""

    def choices(self, *chosen: str) -> Sequence[str]:
        """What there is to choose from after the levels that were."""


def catalogue_actions(profiles: Profiles, load: Callable[[str], DeviceProfile]) -> tuple[Action, ...]:
    """`catalogue.search`, `catalogue.choices` and `catalogue.get`; `load(key)` gives a profile as its file is now, or
    raises ProfileError."""

    def look_for(text: str, limit: int) -> dict[str, object]:
        found = search(profiles.headings(), text)
        return {"count": len(found), "hits": found[: limit or None]}

    def choices(**chosen: str) -> dict[str, object]:
        made = [chosen[level] for level in LEVELS]
        so_far = made[: made.index("")] if "" in made else made
        level = LEVELS[len(so_far)] if len(so_far) < len(LEVELS) else ""
        there = [each for each in profiles.headings() if len(so_far) >= 4 and list(place_of(each)) == so_far[:4]]
        return {
            "level": level,
            "choices": list(profiles.choices(*so_far)) if level else [],
            "profile": there[0].key if there else "",
        }

    def get(profile: str) -> dict[str, object]:
        try:
            return profile_json(load(profile))
        except ProfileError as error:
            raise Unknown(f"profile {profile}: {error.detail}") from error

    limit = Argument("limit", Kind.INTEGER, "how many hits; 0: all", False, HITS, least=0, most=1000)
    levels = [Argument(level, Kind.TEXT, f"the {level} that was chosen", False, "") for level in LEVELS]
    return (
        Action(
            "catalogue.search",
            "The series of devices there are profiles for whose brand, series, models, class, type or key have all "
            "words of a text, the best first; of an empty text all.",
            Permission.READ,
            (Argument("text", Kind.TEXT, 'such as "goodwe et" or "SDM630"', False, ""), limit),
            look_for,
        ),
        Action(
            "catalogue.choices",
            "What there is to choose from next in the order Type, Brand, Class, Series, Model, and the profile once "
            "its series is chosen.",
            Permission.READ,
            tuple(levels),
            choices,
        ),
        Action(
            "catalogue.get",
            "One profile: what it is for, how sure its facts are, its doubts and sources, and every variable.",
            Permission.READ,
            (Argument("profile", Kind.TEXT, "its key, brand/series", least=1),),
            get,
        ),
    )


def search(headings: Iterable[Headed], text: str) -> list[dict[str, object]]:
    """The series that have all words of a text, as JSON carries them; those where the words begin a word go first, and
    of these those that have fewer words besides. `model` is the first that has one of the words, else the first."""
    words = _plain(text).split()
    found = []
    for heading in headings:
        said = _plain(" ".join((*place_of(heading), *heading.models, heading.key)))
        tight = said.replace(" ", "")
        if all(f" {word}" in f" {said}" or (len(word) >= WITHIN and word in tight) for word in words):
            begins = sum(f" {word}" in f" {said}" for word in words)
            exact = sum(f" {word} " in f" {said} " for word in words)
            model = _model(heading, words)
            found.append(((-exact, -begins, heading.brand.casefold(), heading.series.casefold()), heading, model))
    found.sort(key=lambda each: each[0])
    return [heading_json(heading) | {"model": model} for _, heading, model in found]


def place_of(heading: Headed) -> tuple[str, str, str, str]:
    """Type, Brand, Class and Series."""
    return heading.type, heading.brand, heading.device_class, heading.series


def heading_json(heading: Headed) -> dict[str, object]:
    """What a file says of itself, as JSON carries it."""
    return {
        "profile": heading.key,
        "type": heading.type,
        "brand": heading.brand,
        "class": heading.device_class,
        "series": heading.series,
        "models": list(heading.models),
        "status": str(heading.status),
    }


def profile_json(profile: DeviceProfile) -> dict[str, object]:
    """A profile, as JSON carries it; `choices` are the texts that can be written to a variable that has such, by
    their number."""
    serial, tcp = profile.serial, profile.settings.get("tcp")
    told = heading_json(profile)
    return told | {
        "protocol": profile.dialect,
        "confidence": profile.confidence,
        "sources": list(profile.sources),
        "doubts": list(profile.doubts),
        "sign": profile.sign.value if profile.sign is not None else "",
        "serial_line": f"{serial.baudrate} {serial.bytesize}{serial.parity}{serial.stopbits}" if serial else "",
        "port": tcp.get("port") if isinstance(tcp, dict) else None,
        "default_id": profile.settings.get("default_id"),
        "variables": [
            {
                "name": point.name,
                "label": point.quantity.label,
                "unit": point.quantity.unit,
                "is_checked": point.checked,
                "is_writable": point.writable,
                "choices": {str(number): text for number, text in point.enum.items()} if point.writable else {},
            }
            for point in profile.points
        ],
    }


def _model(heading: Headed, words: Sequence[str]) -> str:
    """The model that is meant: the one that has most of the words, the shortest of these."""
    scored = [(-sum(word in _plain(model) for word in words), place) for place, model in enumerate(heading.models)]
    return heading.models[min(scored)[1]] if scored else ""


def _plain(text: str) -> str:
    """Small letters without accents, and spaces in place of what is neither letter nor digit."""
    flat = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", " ", flat).strip()
