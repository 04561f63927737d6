"""The pages Services › M-Bus of the transparent gateway: Statistics, Accept Mode, Disconnect Mode and Serial, with the
labels of the CMe3000 (its user manual, 6.3 and 6.4). Hides which section of the configuration is a line's gateway, and
that the speed of a line stands within its endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from attrs import frozen

from concentrator.api import LineState
from concentrator.line.serial_address import M_BUS_PORT, parse_serial, with_baudrate
from concentrator.model.errors import CommandError, ConfigError
from concentrator.portal.cells import Cell
from concentrator.portal.config_form import ConfigPage, Groups, Key, Listed, config_page, grouped, keys_of, sections_of
from concentrator.portal.house import House
from concentrator.portal.mbus_cells import CONNECTS, GATEWAY_TOPIC, gateway_cells, label_of, slug
from concentrator.portal.words import say_in
from concentrator.web.access import Role
from concentrator.web.forms import Entry
from concentrator.web.route import Reply, Route, Visit, see_other

PATH = "/services/mbus"
ACCEPT, DISCONNECT, SERIAL, LEAVE = f"{PATH}/accept", f"{PATH}/disconnect", f"{PATH}/serial", f"{PATH}/leave"
PORT = 10001
SPEEDS = ("300", "600", "1200", "2400", "4800", "9600", "19200", "38400")
_OWN = ("Denied Accepts", "Octets dropped as late", "Frames filtered")


@frozen
class _Speed(Key):
    """The speed within an `endpoint`."""

    endpoint: str = ""

    def text(self, value: object) -> str:
        """2400 for serial:/dev/ttyUSB0:baudrate=2400, and where it says nothing."""
        at = parse_serial(str(value), M_BUS_PORT)
        return "" if at is None else str(at.baudrate)

    def value(self, text: str) -> Any:
        """The endpoint with another speed."""
        return with_baudrate(self.endpoint, text)


def accept_keys(section: str) -> Groups:
    """The fields of Accept Mode."""

    def key(name: str, entry: Entry = Entry.TEXT, **how: Any) -> Key:
        return Key(section, name, f"accept.{name}", entry, **how)

    return (
        (
            "",
            (
                key("enabled", Entry.TICK),
                key("port", Entry.NUMBER, usual=str(PORT), is_whole=True),
                key("keepalive"),
                key("interface"),
                Listed(section, "allow", "accept.allow"),
                key("when_busy", Entry.CHOICE, choices=("refuse", "queue")),
            ),
        ),
        (
            "accept.line",
            (
                key("sharing", Entry.CHOICE, choices=("exclusive", "time-sliced")),
                key("forwarding", Entry.CHOICE, choices=("bytes", "frames")),
                Listed(section, "addresses", "accept.addresses", is_whole=True),
            ),
        ),
        (
            "accept.tls",
            (
                key("tls_port", Entry.NUMBER, is_whole=True),
                key("cert_file", Entry.FILE),
                key("key_file"),
                key("clients_ca_file", Entry.FILE),
            ),
        ),
    )


def disconnect_keys(section: str) -> Groups:
    """The field of Disconnect Mode."""
    return (("", (Key(section, "disconnect_timeout", "accept.disconnect_timeout"),)),)


def mbus_lines(house: House) -> list[LineState]:
    """The lines that are an M-Bus."""
    return [line for line in house.sources.lines() if line.role == "mbus"]


def line_asked(house: House, visit: Visit) -> LineState | None:
    """The M-Bus line that a page is about: the one that was asked for, else the first; None where there is none."""
    lines, name = mbus_lines(house), visit.asked("line")
    return next((line for line in lines if line.name == name or not name), None)


def with_line(path: str, line: str) -> str:
    """The address of a page about a line."""
    return f"{path}?{urlencode({'line': line})}"


def mbus_routes(house: House) -> Iterator[Route]:
    """`/services/mbus` and the pages of its gateway. Nothing of a box that has no gateways."""
    if house.table.permission("mbus.gateways") is None:
        return
    pages = _Pages(house)
    see, do = Role.VIEWER, Role.INSTALLER
    house.topics[GATEWAY_TOPIC] = pages.cells
    yield Route(PATH, see, pages.statistics)
    yield Route(LEAVE, Role.ADMINISTRATOR, post=pages.throw_out)
    yield Route(ACCEPT, see, pages.accept, pages.change_accept, do)
    yield Route(DISCONNECT, see, pages.disconnect, pages.change_disconnect, do)
    yield Route(SERIAL, see, pages.serial, pages.change_serial, do)


class _Pages:
    def __init__(self, house: House) -> None:
        self._house = house

    def cells(self, line: str, language: str) -> Mapping[str, Cell] | None:
        """What the pages of a line's gateway are kept alive with; None where it does not run."""
        state = self._state(line)
        return None if state is None else gateway_cells(state, say_in(language))

    # -- statistics

    async def statistics(self, visit: Visit) -> Reply | None:
        """Who is connected, and what was counted."""
        line = line_asked(self._house, visit)
        if line is None:
            return self._lineless(visit)
        state, section = self._state(line.name), await self._section(line.name)
        say = self._house.say(visit)
        labels = list(state["statistics"]) if state else []
        shown = [(slug(each), label_of(each, say)) for each in labels]
        idle = [(slug(each), label_of(each, say)) for each in labels if CONNECTS.fullmatch(each)]
        own = [(slug(each), label_of(each, say)) for each in _OWN if each in labels]
        aggregate = [each for each in shown if each not in idle and each not in own]
        return self._drawn(
            visit,
            line,
            "mbus_statistics.html",
            "statistics",
            aggregate=aggregate,
            own=own,
            idle=idle,
            gateway=state["name"] if state else "",
            section=section,
            is_on=bool(section) and (await sections_of(self._house))[section]["enabled"],
        )

    async def throw_out(self, visit: Visit) -> Reply:
        """Lets the client of a gateway go."""
        house, say = self._house, self._house.say(visit)
        try:
            await house.ask(visit, "mbus.gateway.disconnect", name=visit.form.get("name", ""))
        except CommandError as error:
            house.note(visit, error.sentence)
        else:
            house.note(visit, say("mbus.thrown_out"))
        return see_other(with_line(PATH, visit.form.get("line", "")))

    # -- settings

    async def accept(self, visit: Visit) -> Reply | None:
        """Where it listens, and who may connect."""
        return await self._settings(visit, "accept", accept_keys)

    async def change_accept(self, visit: Visit) -> Reply | None:
        """Saves that, or has a line get a gateway."""
        line = line_asked(self._house, visit)
        if line is not None and visit.form.get("do") == "new":
            return await self._set_up(visit, line.name)
        return await self._change(visit, "accept", accept_keys)

    async def disconnect(self, visit: Visit) -> Reply | None:
        """When a client is let go."""
        return await self._settings(visit, "disconnect", disconnect_keys)

    async def change_disconnect(self, visit: Visit) -> Reply | None:
        """Saves that."""
        return await self._change(visit, "disconnect", disconnect_keys)

    async def _settings(self, visit: Visit, tab: str, keys: Any) -> Reply | None:
        line = line_asked(self._house, visit)
        if line is None:
            return self._lineless(visit)
        section = await self._section(line.name)
        if not section:
            return self._drawn(visit, line, "mbus_settings.html", tab, section="", page=None)
        groups = keys(section)
        return self._form_of(await config_page(self._house, visit, keys_of(groups)), line, tab, groups)

    async def _change(self, visit: Visit, tab: str, keys: Any) -> Reply | None:
        line = line_asked(self._house, visit)
        section = "" if line is None else await self._section(line.name)
        if line is None or not section:
            return None
        groups = keys(section)
        return await self._saved(await config_page(self._house, visit, keys_of(groups)), line, tab, groups)

    async def _saved(self, page: ConfigPage, line: LineState, tab: str, groups: Groups) -> Reply:
        await page.take()
        if await page.save():
            return see_other(with_line(page.visit.path, line.name))
        return self._form_of(page, line, tab, groups)

    def _form_of(self, page: ConfigPage, line: LineState, tab: str, groups: Groups) -> Reply:
        template = "mbus_serial.html" if tab == "serial" else "mbus_settings.html"
        return self._drawn(page.visit, line, template, tab, page=page, groups=grouped(page, groups), section="yes")

    async def _set_up(self, visit: Visit, line: str) -> Reply | None:
        """A gateway for a line that has none, at the first port that is free."""
        house, sections = self._house, await sections_of(self._house)
        gateways = {place: keys for place, keys in sections.items() if place.startswith("mbus_gateway.")}
        if any(keys["line"] == line for keys in gateways.values()):
            return see_other(with_line(ACCEPT, line))
        taken = {keys[key] for keys in gateways.values() for key in ("port", "tls_port")}
        port = next(each for each in range(PORT, 65536) if each not in taken)
        place = next(each for each in (f"mbus_gateway.{line}", f"mbus_gateway.{line}-{port}") if each not in gateways)
        try:
            await house.ask(visit, "config.set", changes={place: {"line": line, "port": port}})
        except (ConfigError, CommandError) as error:
            house.note(visit, error.sentence)
        else:
            house.note(visit, house.say(visit)("mbus.set_up_done", line=line, port=port))
        return see_other(with_line(ACCEPT, line))

    # -- serial

    async def serial(self, visit: Visit) -> Reply | None:
        """What was counted on the wire, and its speed."""
        line = line_asked(self._house, visit)
        return self._lineless(visit) if line is None else await self._serial(visit, line, is_sent=False)

    async def change_serial(self, visit: Visit) -> Reply | None:
        """Saves the speed."""
        line = line_asked(self._house, visit)
        return None if line is None else await self._serial(visit, line, is_sent=True)

    async def _serial(self, visit: Visit, line: LineState, *, is_sent: bool) -> Reply | None:
        place = f"line.{line.name}"
        endpoint = str((await sections_of(self._house)).get(place, {}).get("endpoint", ""))
        if parse_serial(endpoint, M_BUS_PORT) is None:
            return None if is_sent else self._drawn(visit, line, "mbus_serial.html", "serial", page=None)
        key = _Speed(place, "endpoint", "mbus.baud_rate", Entry.CHOICE, choices=SPEEDS, endpoint=endpoint)
        page, groups = await config_page(self._house, visit, [key]), (("", (key,)),)
        if is_sent:
            return await self._saved(page, line, "serial", groups)
        return self._form_of(page, line, "serial", groups)

    # -- what all have

    def _drawn(self, visit: Visit, line: LineState, template: str, tab: str, **values: Any) -> Reply:
        house, say = self._house, self._house.say(visit)
        state = self._state(line.name)
        at = parse_serial(line.endpoint, M_BUS_PORT)
        page = values.get("page")
        return house.draw(
            visit,
            template,
            None if state is None else gateway_cells(state, say),
            line=line,
            lines=[each.name for each in mbus_lines(house)],
            tab=tab,
            is_running=state is not None,
            serial=[(slug(each), label_of(each, say)) for each in state["serial"]] if state else [],
            framing="" if at is None else at.framing,
            form=None if page is None else page.form,
            speeds=[] if at is None else [each for each in SPEEDS if each != str(at.baudrate)],
            topic="" if state is None else GATEWAY_TOPIC + line.name,
            here=PATH,
            **values,
        )

    def _lineless(self, visit: Visit) -> Reply | None:
        """What stands where the box has no M-Bus; there is nothing where another line was asked for."""
        if visit.asked("line"):
            return None
        return self._house.draw(visit, "mbus_none.html", here=PATH)

    def _state(self, line: str) -> Mapping[str, Any] | None:
        """The gateway that runs on a line."""
        states: Any = self._house.look("mbus.gateways") or ()
        return next((state for state in states if state["line"] == line), None)

    async def _section(self, line: str) -> str:
        """The section of a line's gateway, that which is on where there are more; empty where there is none."""
        of_line = [
            (not keys["enabled"], place)
            for place, keys in (await sections_of(self._house)).items()
            if place.startswith("mbus_gateway.") and keys["line"] == line
        ]
        return min(of_line)[1] if of_line else ""
