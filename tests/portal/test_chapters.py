"""concentrator.portal.chapters: the table says of each module just the pages it makes, and none is loaded unopened."""

import subprocess
import sys
from pathlib import Path

from twisted.internet.task import Clock

from concentrator.app.commands_page import whole_table
from concentrator.app.launch import environment
from concentrator.portal import pages
from concentrator.portal.chapters import PAGES, Pages, book_of
from concentrator.portal.house import House
from concentrator.web.access import Role
from tests.support.web import FakeBox, visit

UNOPENED = """
import sys
import concentrator.portal.doors, concentrator.portal.pages.login
print(*sorted(name for name in sys.modules if name.startswith(("concentrator.portal.pages.", "jinja2", "csv"))))
"""


def house_over(table):
    box = FakeBox()
    return House(None, box.sources, box.traces, table, Clock())


def test_the_table_has_just_the_pages_that_a_whole_box_makes():
    house = house_over(whole_table())
    given = {"gate": None, "recent": list, "has_charts": True}
    book = book_of(house, given)
    assert {name for row in PAGES for name in row.also} == set(given)
    assert {route.path for route in book.routes()} == book.paths() == house.paths
    assert sum(len(row.paths) for row in PAGES) == len(book.paths())


def test_every_module_of_pages_is_in_the_table():
    there = {path.stem for path in Path(pages.__file__).parent.glob("*.py") if "_routes(house" in path.read_text()}
    assert there == {row.made_by.partition(":")[0] for row in PAGES}


def test_pages_that_need_an_action_are_not_there_without_it(monkeypatch):
    rows = (Pages("events:event_routes", ("/events", "/events.csv"), ("recent",), "events.list"),)
    monkeypatch.setattr("concentrator.portal.chapters.PAGES", rows)
    assert book_of(house_over(FakeBox().table), {"recent": list}).paths() == frozenset()
    assert book_of(house_over(whole_table()), {"recent": list}).paths() == {"/events", "/events.csv"}


def test_no_page_is_loaded_before_it_is_opened():
    command = [sys.executable, "-c", UNOPENED]
    told = subprocess.run(command, capture_output=True, text=True, env=environment(), check=True).stdout
    assert told.split() == ["concentrator.portal.pages.login"]


def test_a_stranger_is_sent_to_the_login_without_a_page_being_made(monkeypatch, clock):
    made = []
    monkeypatch.setattr("concentrator.portal.pages.devices.device_routes", lambda house: made.append(house) or [])
    box = FakeBox()
    site = box.site(clock)
    assert visit(site, "/devices").headers["location"] == "/login?next=/devices" and made == []
    assert box.as_(Role.VIEWER, site, "/devices").status == 404 and len(made) == 1


def test_a_browser_goes_on_with_a_page_it_has_from_before_a_restart():
    house = house_over(whole_table())
    book_of(house, {"gate": None, "recent": list, "has_charts": True})
    assert not house.topics
    assert house.of_topic(":events", "en")[":newest"] == {"number": 0}
    assert house.is_restless(":events") and house.of_topic(":nothing", "en") is None
