"""The Menu page: the whole tree with a search, for whoever has a small screen or looks for a word of the manual."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from attrs import frozen

from concentrator.portal.house import House
from concentrator.portal.menu import MENU, Entry
from concentrator.portal.words import say_in
from concentrator.web.access import Role
from concentrator.web.route import Reply, Route, Visit


@frozen
class Hit:
    """A page the search found: its names from the top down, and its path."""

    names: tuple[str, ...]
    path: str


def menu_routes(house: House) -> Iterator[Route]:
    """`/menu`."""

    def menu(visit: Visit) -> Reply:
        asked = visit.asked("q").strip()
        role = visit.session.role if visit.session else Role.VIEWER
        hits = found(asked, visit.language, role, house.paths) if asked else ()
        return house.draw(visit, "menu.html", asked=asked, hits=hits)

    yield Route("/menu", Role.VIEWER, menu)


def found(asked: str, language: str, role: Role, paths: frozenset[str]) -> tuple[Hit, ...]:
    """The pages whose names, in the visitor's language or in English, or whose other words have every word of what was
    asked for in them."""
    words = plain(asked).split()
    return tuple(
        Hit(tuple(say_in(language)(f"menu.{each.name}") for each in trail), trail[-1].path)
        for trail in _trails()
        if trail[-1].path in paths
        and all(role.covers(each.role) for each in trail)
        and all(word in _known(trail, language) for word in words)
    )


def plain(text: str) -> str:
    """A text without capitals and accents."""
    split = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in split if not unicodedata.combining(letter))


def _trails() -> Iterator[tuple[Entry, ...]]:
    for entry in MENU:
        yield (entry,)
        for part in entry.parts:
            yield entry, part


def _known(trail: tuple[Entry, ...], language: str) -> str:
    names = (say_in(each)(f"menu.{entry.name}") for each in {language, "en"} for entry in trail)
    return plain(" ".join((*names, trail[-1].also)))
