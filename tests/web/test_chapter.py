"""concentrator.web.chapter: pages are made when the first of them is asked for, and found as if all were there."""

import pytest

from concentrator.web.access import Role
from concentrator.web.chapter import Book, Chapter, stars
from concentrator.web.route import Route

STARS = [
    ("/lines", ["lines"], ()),
    ("/lines", ["lines", "bus"], None),
    ("/lines/*", ["lines", "bus"], ("bus",)),
    ("/lines/*", ["lines"], None),
    ("/a/*/*", ["a", "b", "c"], ("b", "c")),
    ("/*", ["*"], ("*",)),
    ("/", [""], ()),
]


@pytest.mark.parametrize(("pattern", "path", "found"), STARS)
def test_a_star_stands_for_any_one_part(pattern, path, found):
    assert stars(pattern, path) == found


class Printer:
    """Makes chapters, and notes which were made."""

    def __init__(self):
        self.made = []

    def chapter(self, name, *paths, made=None):
        def make():
            self.made.append(name)
            return [Route(path, Role.VIEWER) for path in (paths if made is None else made)]

        return Chapter(paths, make)


def test_only_the_chapter_that_is_opened_is_made_and_once():
    printer = Printer()
    book = Book([printer.chapter("add", "/devices/add"), printer.chapter("devices", "/", "/devices/*")])
    assert book.paths() == {"/devices/add", "/", "/devices/*"} and printer.made == []
    for _ in range(2):
        route, parts = book.at(["devices", "m7"]).route(["devices", "m7"])
        assert (route.path, parts) == ("/devices/*", ("m7",))
    assert book.at(["nowhere"]) is None
    assert printer.made == ["devices"]
    assert [route.path for route in book.routes()] == ["/devices/add", "/", "/devices/*"]
    assert printer.made == ["devices", "add"]


def test_of_two_chapters_that_have_an_address_the_first_has_the_page():
    printer = Printer()
    book = Book([printer.chapter("add", "/devices/add"), printer.chapter("devices", "/devices/*")])
    route, _ = book.at(["devices", "add"]).route(["devices", "add"])
    assert route.path == "/devices/add" and printer.made == ["add"]


def test_a_page_that_was_not_made_is_not_there_and_one_that_was_not_said_is_a_fault():
    printer = Printer()
    some = printer.chapter("some", "/one", "/two", made=["/one"])
    assert some.route(["two"]) is None and some.route(["one"]) is not None
    with pytest.raises(RuntimeError, match="nobody finds: /three"):
        printer.chapter("more", "/one", made=["/one", "/three"]).routes()
