"""Visits to a site without a network: raw HTTP into a site's own channel over a string transport, and the states of a
small made-up box for it to show."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from attrs import evolve, frozen
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReactorTime
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.server import Site

from concentrator.actions.present import present_actions
from concentrator.actions.table import ActionTable, AuditEntry
from concentrator.actions.tracing import Traces
from concentrator.api import DeviceState, Happened, InputState, LineState, OutputState, PanelState, UplinkState
from concentrator.line.trace import Traced
from concentrator.model.profile import DeviceProfile
from concentrator.model.reading import Reading
from concentrator.portal.api_door import Watched
from concentrator.portal.cells import Sources
from concentrator.portal.doors import build_site
from concentrator.portal.metrics import Figures
from concentrator.web.access import Role
from concentrator.web.gate import Gate
from concentrator.web.passwords import Cost
from concentrator.web.route import COOKIE
from concentrator.web.session import Sessions
from concentrator.web.tokens import Tokens
from concentrator.web.tries import Tries
from concentrator.web.users import Users

MADRID = ZoneInfo("Europe/Madrid")
NOW = 1_795_254_067.0  # 21 Nov 2026, 10:41:07 in Madrid
BROWSER = IPv4Address("TCP", "127.0.0.1", 40000)
POINTS = (
    ("i1", "current L1", "A"),
    ("v1", "voltage L1", "V"),
    ("p", "active power", "W"),
    ("pf", "power factor", ""),
    ("ea_imp", "active energy imported", "kWh"),
)
VALUES = {"i1": 5.42, "v1": 230.1, "p": -1240.0, "pf": 0.61, "ea_imp": 12480.35}


CHEAP = Cost(2, 1, 1)
"""Of a password's hash, for tests that are not about it."""


def at_once(job: Callable[[], Any]) -> Deferred[Any]:
    """A job, not in a thread but here and now."""
    return maybeDeferred(job)


class StillWall:
    """A wall clock that stands until it is set."""

    def __init__(self, at: float = NOW) -> None:
        self.at = at
        self.trusted = True

    def now(self) -> float:
        return self.at

    def is_trusted(self) -> bool:
        return self.trusted


def device(uid: str = "main", **fields: Any) -> DeviceState:
    """A device that answers, read two seconds ago, with anything told otherwise."""
    at = fields.pop("at", NOW - 2)
    values = fields.pop("values", VALUES)
    known: dict[str, Any] = {
        "uid": uid,
        "alias": uid.capitalize(),
        "serial": "0420020081",
        "model": "CcM4",
        "firmware": "0x2C06",
        "protocol": "MB_RTU_CCM",
        "line": "native",
        "address": 1,
        "health": "answering",
        "last_seen": at,
        "trouble": "",
        "values": {name: (value, at) for name, value in values.items()},
        "points": POINTS,
    }
    return DeviceState(**(known | fields))


class FakeBox:
    """A box with states to be changed at will, and the site that shows them."""

    def __init__(self) -> None:
        self.wall = StillWall()
        self.devices = [device("main"), device("workshop", address=2)]
        self.lines = [LineState("native", "serial:/dev/ttyUSB0:baudrate=9600", True)]
        self.uplinks = [UplinkState("mqtt", "mqtt", "mqtt://127.0.0.1:1883", True, NOW - 600, NOW - 3, waiting=0)]
        still = PanelState(
            {"blue": "off", "green": "two", "yellow": "steady"},
            (OutputState("relay1", False), OutputState("relay2", True), OutputState("analogue", 3.5)),
            (InputState(), InputState(True)),
        )
        self.panel: Callable[[], PanelState] = lambda: still
        self.exchanges: list[Traced] = []
        self.owners: dict[int, tuple[str, DeviceProfile]] = {}
        self.traces = Traces(lambda: self.lines, lambda line: self.exchanges, lambda line: self.owners)
        self.subscribers: list[Callable[[Reading], None]] = []
        self.audit: list[AuditEntry] = []
        self.kept_users: list[bytes] = []
        self.users = Users(None, self.kept_users.append, at_once, cost=CHEAP)
        self.tokens = Tokens(lambda content: None)
        self.recent: list[Happened] = []
        self.ailing = ""
        self.table = ActionTable(self.audit.append)
        self.sources = Sources(
            self.box,
            lambda: self.devices,
            lambda: self.lines,
            lambda: self.uplinks,
            self.wall,
            MADRID,
            lambda: self.panel(),
        )
        for action in present_actions(
            box=self.box,
            devices=self.sources.devices,
            lines=self.sources.lines,
            uplinks=self.sources.uplinks,
            wall=self.wall,
        ):
            self.table.register(action)

    def box(self) -> Mapping[str, object]:
        return {
            "serial": "4220080001",
            "model": "PRO",
            "version": "0.1.0",
            "uptime_s": 11_530,
            "mac": "02:1B:63:84:45:E6",
            "hardware": "2",
        }

    def site(self, clock: IReactorTime) -> Site:
        """The page's site over this box."""
        self.gate = Gate(self.users, self.sessions_on(clock), Tries(clock))
        return build_site(
            self.table,
            self.sources,
            subscribe=self.subscribe,
            clock=clock,
            traces=self.traces,
            gate=self.gate,
            tokens=self.tokens,
            watched=Watched(lambda: self.recent, Figures, lambda: self.ailing),
        )

    def sessions_on(self, clock: IReactorTime) -> Sessions:
        """The sessions of the site, with one of each role begun: `self.keys` has their cookies."""
        self.sessions = Sessions(clock)
        self.keys = {}
        for role in Role:
            self.keys[role], _ = self.sessions.begin(role.value, role)
        return self.sessions

    def as_(self, role: Role, site: Site, path: str, **request: Any) -> Answer:
        """One request of somebody who signed in with a role; a form is sent with `fields`, its token included."""
        cookie = f"{COOKIE}={self.keys[role]}"
        if "fields" in request:
            session = self.sessions.find(self.keys[role])
            fields = {"token": session.token if session else ""} | request.pop("fields")
            request = form_of(fields) | request
        return visit(site, path, cookie=cookie, **request)

    def subscribe(self, told: Callable[[Reading], None]) -> Callable[[], None]:
        self.subscribers.append(told)
        return lambda: self.subscribers.remove(told)

    def change(self, uid: str, at: float | None = None, **fields: Any) -> None:
        """Changes a device, and says so as the hub would; `values` are set at `at` (now)."""
        at = self.wall.at if at is None else at
        index = next(index for index, state in enumerate(self.devices) if state.uid == uid)
        state = self.devices[index]
        if "values" in fields:
            fields["values"] = {**state.values, **{name: (value, at) for name, value in fields["values"].items()}}
            fields.setdefault("last_seen", at)
        self.devices[index] = evolve(state, **fields)
        for told in tuple(self.subscribers):
            told(Reading(uid, at, {}))


@frozen
class Answer:
    """What a visitor got: the status, the headers by lower-case name, and the body (unpacked)."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Visit:
    """One connection to a site that stays open: what came so far, and the hands of the network."""

    def __init__(self, site: Site, peer: object = BROWSER) -> None:
        self.transport = StringTransport(peerAddress=peer)
        self.channel = site.buildProtocol(peer)
        self.channel.makeConnection(self.transport)

    def ask(self, path: str, method: str = "GET", version: str = "1.1", body: bytes = b"", **headers: str) -> None:
        """Sends a request; an underscore in a header's name stands for a hyphen, and an empty header is not sent."""
        told = {"host": "127.0.0.1:8080"} | headers
        if body:
            told["content_length"] = str(len(body))
        lines = [f"{method} {path} HTTP/{version}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in told.items() if value]
        self.channel.dataReceived("\r\n".join([*lines, "", ""]).encode() + body)

    def answer(self) -> Answer:
        """What came so far, as one answer."""
        head, _, body = self.transport.value().partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        packed = headers.get("content-encoding") == "gzip"
        return Answer(int(first.split()[1]), headers, gzip.decompress(body) if packed and body else body)

    def frames(self) -> list[tuple[str, Any]]:
        """The events that came since the last time, as (event, content)."""
        content = self.transport.value().partition(b"\r\n\r\n")[2] or self.transport.value()
        self.transport.clear()
        found = []
        for frame in content.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in frame.split("\n") if ": " in line)
            if "event" in fields:
                found.append((fields["event"], json.loads(fields["data"])))
        return found

    def end(self) -> None:
        """The visitor leaves."""
        self.channel.connectionLost(Failure(ConnectionDone()))


def form_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """What a request is to have that sends a form."""
    body = urlencode(fields).encode() or b"&"
    return {"method": "POST", "body": body, "content_type": "application/x-www-form-urlencoded"}


def visit(site: Site, path: str, peer: object = BROWSER, **request: Any) -> Answer:
    """One request over a connection of its own, and its answer."""
    visitor = Visit(site, peer)
    visitor.ask(path, **request)
    try:
        return visitor.answer()
    finally:
        visitor.end()
