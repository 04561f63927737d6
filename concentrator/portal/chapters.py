"""Every page there is, by the module that makes it, a menu entry after the other. Hides that a page's code is loaded
when it is first opened: a box that nobody looks at has none of it in memory, and a first visit waits for one page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module

from attrs import frozen

from concentrator.portal.house import House
from concentrator.web.chapter import Book, Chapter
from concentrator.web.route import Route


@frozen
class Pages:
    """What makes some pages: a module of `portal.pages` and its function of the house, which is given `also` what these
    names say; the paths of its routes, all of them; the action without which a box has no such pages, where there is
    one; and whether somebody who has not signed in sees any of them."""

    made_by: str
    paths: tuple[str, ...]
    also: tuple[str, ...] = ()
    action: str = ""
    is_open: bool = False


PAGES = (
    Pages("info:info_routes", ("/info", "/info/label", "/info/label.svg"), ("gate",)),
    Pages("menu:menu_routes", ("/menu",)),
    Pages("add:add_routes", ("/devices/add", "/devices/add/hits")),
    Pages("catalogue:catalogue_routes", ("/devices/catalogue", "/devices/catalogue/*/*")),
    Pages("link:link_routes", ("/devices/link", "/devices/link/finish")),
    Pages("scan:scan_routes", ("/devices/scan", "/devices/scan/stop")),
    Pages(
        "devices:device_routes",
        ("/", "/devices", "/devices/ccm", "/devices/external", "/devices/*", "/devices/*/values.csv"),
    ),
    Pages(
        "device_config:device_config_routes",
        ("/devices/*/config", "/devices/*/direction", "/devices/*/replaced", "/devices/*/delete"),
    ),
    Pages("genset:genset_routes", ("/devices/*/genset",), action="genset.status"),
    Pages("lines:line_routes", ("/lines", "/lines/*", "/lines/*/trace.txt", "/lines/*/evidence.toml")),
    Pages("history:history_routes", ("/history", "/history/data"), ("has_charts",), "history.trend"),
    Pages("events:event_routes", ("/events", "/events.csv"), ("recent",), "events.list"),
    Pages("panel:panel_routes", ("/panel",)),
    Pages("inputs:input_routes", ("/settings/panel",), action="config.get"),
    Pages("tokens:token_routes", ("/services/tokens", "/services/tokens/remove")),
    Pages("services:service_routes", ("/services/mqtt", "/services/mqtt/*", "/services/ftp", "/services/test/*")),
    Pages(
        "mbus:mbus_routes",
        (
            "/services/mbus",
            "/services/mbus/leave",
            "/services/mbus/accept",
            "/services/mbus/disconnect",
            "/services/mbus/serial",
        ),
        action="mbus.gateways",
    ),
    Pages(
        "mbus_meters:mbus_meter_routes",
        ("/services/mbus/meters", "/services/mbus/stop", "/services/mbus/add", "/services/mbus/telegram"),
        action="mbus.search",
    ),
    Pages("mbus_telling:mbus_telling_routes", ("/services/mbus/speed", "/services/mbus/tell"), action="mbus.set_speed"),
    Pages(
        "cloud:cloud_routes",
        ("/services/cloud", "/services/cloud/*", "/services/cloud/*/*", "/services/cloud-label.svg"),
        action="smartgen.sessions",
    ),
    Pages(
        "slaves:slave_routes",
        (
            "/services/modbus-slave",
            "/services/modbus-slave/*",
            "/services/modbus-slave/*/*",
            "/services/modbus-slave-map",
        ),
        action="slave.states",
    ),
    Pages("messages:message_routes", ("/services/sms", "/services/sms/*", "/services/sms/*/*"), action="sms.state"),
    Pages("modem:modem_routes", ("/network/modem", "/network/modem/*", "/network/modem/*/*"), action="modem.state"),
    Pages("settings:settings_routes", ("/settings/historic", "/settings/timezone")),
    Pages("start:start_routes", ("/start", "/start/*"), ("gate",)),
    Pages(
        "security:security_routes",
        (
            "/settings/security",
            "/settings/security/users",
            "/settings/security/users/*",
            "/settings/security/certificate",
        ),
        ("gate",),
    ),
    Pages(
        "web:web_routes",
        (
            "/settings/web",
            "/settings/web/clear",
            "/settings/web/configuration",
            "/settings/web/authentication",
            "/settings/web/authentication/delete",
        ),
        ("gate",),
    ),
    Pages("login:login_routes", ("/login", "/logout", "/password", "/look"), ("gate",), is_open=True),
)
"""Of two that have an address the first makes the page."""


def book_of(house: House, given: Mapping[str, object]) -> Book:
    """All pages of a house; `given`: what some are made with besides, by the names of their `also`."""
    there = [pages for pages in PAGES if not pages.action or house.table.has(pages.action)]
    book = Book([Chapter(pages.paths, _maker(pages, house, given), pages.is_open) for pages in there])
    house.paths = book.paths()

    def make_all() -> None:
        for _ in book.routes():
            pass

    house.make_all = make_all
    return book


def _maker(pages: Pages, house: House, given: Mapping[str, object]) -> Callable[[], Iterable[Route]]:
    def make() -> Iterable[Route]:
        module, _, name = pages.made_by.partition(":")
        routes: Callable[..., Iterable[Route]] = getattr(import_module(f"concentrator.portal.pages.{module}"), name)
        return routes(house, *(given[each] for each in pages.also))

    return make
