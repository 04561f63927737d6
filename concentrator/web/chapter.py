"""Which routes there are at an address, of pages that are made no sooner than one of them is asked for. Hides that the
code of the others is not even loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from concentrator.web.route import Route


def stars(pattern: str, path: Sequence[str]) -> tuple[str, ...] | None:
    """What stands at the stars of a route's path, each for any one part; None where it is another path."""
    own = pattern.strip("/").split("/")
    if len(own) != len(path) or any(mine not in ("*", theirs) for mine, theirs in zip(own, path, strict=True)):
        return None
    return tuple(theirs for mine, theirs in zip(own, path, strict=True) if mine == "*")


@define(eq=False)
class Chapter:
    """Pages that are made together. `paths` are those of all their routes; `make` gives the routes, once, and may leave
    out some. `is_open`: some of them are for who has not signed in too."""

    paths: Sequence[str]
    _make: Callable[[], Iterable[Route]] = field(repr=False)
    is_open: bool = False
    _routes: tuple[Route, ...] | None = field(default=None, init=False, repr=False)

    def has(self, path: Sequence[str]) -> bool:
        """Whether one of them has that address."""
        return any(stars(pattern, path) is not None for pattern in self.paths)

    def route(self, path: Sequence[str]) -> tuple[Route, tuple[str, ...]] | None:
        """The first route that has an address, and what stands at the stars of its path; None where none was made."""
        return next(((each, parts) for each in self.routes() if (parts := stars(each.path, path)) is not None), None)

    def routes(self) -> tuple[Route, ...]:
        """The routes; made now, where they were not. Raises RuntimeError where one has a path that was not said."""
        if self._routes is None:
            routes = tuple(self._make())
            if others := {route.path for route in routes} - set(self.paths):
                raise RuntimeError(f"pages that nobody finds: {', '.join(sorted(others))}")
            self._routes = routes
        return self._routes


@define(eq=False)
class Book:
    """All pages: chapters, of which the first counts that has an address."""

    _chapters: Sequence[Chapter]

    def paths(self) -> frozenset[str]:
        """The paths of all routes."""
        return frozenset(path for chapter in self._chapters for path in chapter.paths)

    def routes(self) -> Iterator[Route]:
        """All routes; every one is made for that."""
        return (route for chapter in self._chapters for route in chapter.routes())

    def at(self, path: Sequence[str]) -> Chapter | None:
        """The chapter that has an address; None where none has."""
        return next((chapter for chapter in self._chapters if chapter.has(path)), None)
