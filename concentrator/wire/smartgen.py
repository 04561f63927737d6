"""What a cloud modem of SmartGen's CMM365 family says: its messages as values, written as one segment each and read
back as a server must. It hides the names, the spelling mistakes that are part of the protocol, and the hex text.

Source: SmartGen CMM365-4G communication protocol V1.0 (2022-01-14), 4.1 to 4.9. Its spelling "InhbitRemote" is what
servers look for. `Hostid` travels three times in a login, for servers read it in three places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import Factory, field, frozen

from concentrator.model.errors import Garbled, Unexpected
from concentrator.wire.smartgen_fields import Wiring, folded, inner, number, text, whole, wiring, wiring_if_sound
from concentrator.wire.smartgen_json import written

LONGEST_HOSTID = 24
DEFLATE = "deflate"
"""What `compress` says in a login and in its answer, where both ends can (proposed here): everything the modem says on
the long connection is then one zlib stream (RFC 1950), flushed after each message."""


@frozen
class Location:
    """Where the genset is: degrees, and metres above the sea; from a receiver or by hand, in the GPS's coordinates or
    in Baidu's."""

    longitude: float
    latitude: float
    altitude_m: float = 0.0
    is_gps: bool = True

    def fields(self) -> dict[str, Any]:
        """As they stand in a login."""
        sort = int(self.is_gps)
        position = {"longitude": f"{self.longitude:.6f}", "latitude": f"{self.latitude:.6f}"}
        return {**position, "Gpsen": sort, "gsen": sort, "altitude": f"{self.altitude_m:.1f}"}


@frozen
class Login:
    """Registers the modem (4.1). `can_deflate`: it offers to compress what it says on the long connection; no part of
    SmartGen's protocol, said to servers of one's own only."""

    hostid: str
    hostname: str
    password: str = field(repr=False)
    module_type: str
    wiring: Wiring = Factory(Wiring)
    location: Location | None = None
    can_deflate: bool = False

    def written(self) -> bytes:
        """The segment."""
        whose = {"hostid": self.hostid, "Hostid": self.hostid, "hostname": self.hostname, "password": self.password}
        where = self.location.fields() if self.location else {}
        more = {"compress": DEFLATE} if self.can_deflate else {}
        params = {**whose, **where, "moduletype": self.module_type, **self.wiring.fields(), **more}
        return written({"method": "login", "params": params, "hostid": self.hostid})


@frozen
class LongCon:
    """Makes this connection the long one (4.2)."""

    hostid: str

    def written(self) -> bytes:
        """The segment."""
        return written({"method": "LongCon", "hostid": self.hostid})


@frozen
class Heartbeat:
    """The modem is there (4.3)."""

    hostid: str

    def written(self) -> bytes:
        """The segment."""
        return written({"method": "HB", "hostid": self.hostid, "params": ""})


@frozen
class FullSet:
    """What the controller answered to the commands, whole Modbus frames in the order of the commands (4.4); with the
    time they were read at in whole seconds since 1970 when they are history."""

    hostid: str
    frames: tuple[bytes, ...]
    time_s: int | None = None

    def written(self) -> bytes:
        """The segment."""
        params = ";".join(each.hex().upper() for each in self.frames)
        when = {} if self.time_s is None else {"time": self.time_s}
        return written({"method": "reqdata", "params": params, "hostid": self.hostid, **when})


@frozen
class Run:
    """Neighbouring values that changed: function 1 to 4, the first one's address from 0; registers high byte first,
    bits packed low bit first."""

    function: int
    address: int
    content: bytes


@frozen
class Inputs:
    """The modem's own alarm inputs, and whether remote control is inhibited."""

    access: bool = False
    fire: bool = False
    alarm: bool = False
    inhibit: bool = False

    def fields(self) -> dict[str, int]:
        """As they stand in a message (table 11, with its spelling)."""
        names = ("AccessAlarm", "FireAlarm", "AlarmInput", "InhbitRemote")
        return dict(zip(names, map(int, (self.access, self.fire, self.alarm, self.inhibit)), strict=True))


@frozen
class Changes:
    """What has changed since the last message, and the modem's inputs (4.5)."""

    hostid: str
    runs: tuple[Run, ...] = ()
    inputs: Inputs = Factory(Inputs)

    def written(self) -> bytes:
        """The segment."""
        params: dict[str, list[dict[str, str]]] = {}
        for run in self.runs:
            entry = {f"{run.address:04X}": run.content.hex().upper()}
            params.setdefault(f"{run.function:02d}", []).append(entry)
        return written({"method": "reqdatachange", "params": params, "hostid": self.hostid, **self.inputs.fields()})


@frozen
class Written:
    """What came of a writeConfig (4.6): its command as it was sent and whether it was carried out, or the port and baud
    rate in force; with the uid it came with."""

    hostid: str
    uid: Any = None
    command: str | None = None
    is_done: bool = False
    wiring: Wiring | None = None

    def written(self) -> bytes:
        """The segment."""
        outcome = {} if self.command is None else {"params": f"{self.command},{int(self.is_done)}"}
        pair = self.wiring.fields() if self.wiring else {}
        whose = {"hostid": self.hostid} if self.uid is None else {"hostid": self.hostid, "uid": self.uid}
        return written({"method": "writeConfig", **outcome, **pair, **whose})


@frozen
class Timing:
    """Asks what time it is (4.7)."""

    hostid: str

    def written(self) -> bytes:
        """The segment."""
        return written({"method": "timing", "hostid": self.hostid})


@frozen
class ResetTaken:
    """The modem will log in again, as it was told (4.8)."""

    hostid: str

    def written(self) -> bytes:
        """The segment."""
        return written({"method": "reset", "hostid": self.hostid})


Saying = Login | LongCon | Heartbeat | FullSet | Changes | Written | Timing | ResetTaken


def from_device(message: Mapping[str, Any]) -> Saying:
    """What a modem says in a message. Raises Unexpected for a method that modems have not, Garbled where what it says
    cannot be."""
    fields = folded(message)
    method = text(fields.get("method"))
    reads = _SAYINGS.get(method.lower())
    if reads is None:
        raise Unexpected(f"method {method[:32]!r}")
    return reads(_hostid(fields), fields)


def _hostid(fields: Mapping[str, Any]) -> str:
    params = inner(fields.get("params"))
    # "hosted" is the example's misprint of it.
    named = (text(source.get(name)) for source in (params, fields) for name in ("hostid", "hosted"))
    hostid = next(filter(None, named), "")
    if not 0 < len(hostid) <= LONGEST_HOSTID:
        raise Garbled(f"a hostid of {len(hostid)} characters, expected 1 to {LONGEST_HOSTID}")
    return hostid


def _login(hostid: str, fields: Mapping[str, Any]) -> Login:
    params = inner(fields.get("params"))
    pair = wiring_if_sound(params, Wiring()) or Wiring()
    said = {name: text(params.get(name)) for name in ("hostname", "password", "moduletype")}
    can_deflate = text(params.get("compress")) == DEFLATE
    return Login(hostid, said["hostname"], said["password"], said["moduletype"], pair, _location(params), can_deflate)


def _location(params: Mapping[str, Any]) -> Location | None:
    longitude, latitude = number(params.get("longitude")), number(params.get("latitude"))
    if longitude is None or latitude is None or abs(longitude) > 180 or abs(latitude) > 90:
        return None
    sort = whole(params.get("gpsen", params.get("gsen")))
    return Location(longitude, latitude, number(params.get("altitude")) or 0.0, sort != 0)


def _full_set(hostid: str, fields: Mapping[str, Any]) -> FullSet:
    frames = filter(None, (each.strip() for each in text(fields.get("params")).split(";")))
    return FullSet(hostid, tuple(_bytes(each) for each in frames), whole(fields.get("time")))


def _changes(hostid: str, fields: Mapping[str, Any]) -> Changes:
    named = (("accessalarm",), ("firealarm",), ("alarminput",), ("inhbitremote", "inhibitremote"))
    places = (fields, inner(fields.get("params")))
    states = [any(whole(place.get(name)) for place in places for name in names) for names in named]
    return Changes(hostid, tuple(_runs(inner(fields.get("params")))), Inputs(*states))


def _runs(params: Mapping[str, Any]) -> Iterator[Run]:
    for code in ("01", "02", "03", "04"):
        listed = params.get(code, [])
        for each in listed if isinstance(listed, list) else [listed]:
            for address, content in each.items() if isinstance(each, dict) else ():
                start = _bytes(address)
                if len(start) != 2:
                    raise Garbled(f"address {address[:8]!r}, expected 4 hex digits")
                yield Run(int(code), int.from_bytes(start), _bytes(text(content)))


def _bytes(hex_: str) -> bytes:
    try:
        return bytes.fromhex(hex_)
    except ValueError:
        raise Garbled("no hex digits in pairs", hex_[:64].encode(errors="replace")) from None


def _written(hostid: str, fields: Mapping[str, Any]) -> Written:
    command, comma, outcome = text(fields.get("params")).rpartition(",")
    if comma and outcome.strip() not in ("0", "1"):
        raise Garbled(f"outcome {outcome[:8]!r}, expected 0 or 1")
    done = outcome.strip() == "1"
    return Written(hostid, fields.get("uid"), command.strip() if comma else None, done, wiring(fields))


_SAYINGS: dict[str, Callable[[str, Mapping[str, Any]], Saying]] = {
    "login": _login,
    "longcon": lambda hostid, fields: LongCon(hostid),
    "hb": lambda hostid, fields: Heartbeat(hostid),
    "reqdata": _full_set,
    "reqdatachange": _changes,
    "writeconfig": _written,
    "timing": lambda hostid, fields: Timing(hostid),
    "reset": lambda hostid, fields: ResetTaken(hostid),
}
