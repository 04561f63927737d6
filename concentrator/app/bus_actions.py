"""What is looked for on the lines of a running box, put together over the field: scans, who is at a Modbus ID, and one
reading of a device that need not be configured. Hides how much of a line they may take while it is polled, and that a
line without devices may be lent for other settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from concentrator.actions.identifying import Prober, identifying_actions
from concentrator.actions.scanning import HIGHEST, POLLING, SHARE, scanning_actions
from concentrator.actions.table import Action
from concentrator.actions.tasks import Tasks, Tell
from concentrator.actions.tracing import Exchanged, Traces
from concentrator.api import DeviceState, LineState
from concentrator.app.config_mbus import device_address
from concentrator.app.config_sections import DeviceSection
from concentrator.app.identify import Search, endpoint_of, further_wires, look_at
from concentrator.app.recognising import profiles_of, sunspec_of
from concentrator.app.rule import Mismatch
from concentrator.app.scan import Wire as Settings
from concentrator.app.scan import opened
from concentrator.app.wires import Wire
from concentrator.dialect.modbus import dialects
from concentrator.line.line import Line
from concentrator.line.serial_address import SerialAddress
from concentrator.model.device import Device
from concentrator.model.errors import (
    Busy,
    LineLost,
    NoReply,
    NotConfirmed,
    NotOfProfile,
    ProfileError,
    Unknown,
    WrongArguments,
)
from concentrator.model.profile import DeviceProfile
from concentrator.model.words import hint
from concentrator.poll.enquiry import TIMEOUT_S, Enquiry, Framing
from concentrator.poll.probe import Probe, Probed
from concentrator.poll.scan import Found, Scan
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.mbus import M_BUS
from concentrator.profile.recognise import usual_settings
from concentrator.profile.secondary import has_secondaries

Taken = Callable[[str, int | str, int | None], str]
"""`taken(line, address, secondary)`: who has that place on a line already, in words; empty where nobody has."""

LOOKING = "a device is looked for with other settings"
MOST_SECONDARIES = 32
"""Behind one principal, as in the configuration."""
REST_S = 0.1
"""The pause after each question to one Modbus ID of a polled line, of which there are a few dozen."""


class Owner(Protocol):
    """A device that has a Modbus ID."""

    @property
    def device(self) -> Device:
        """As it is configured."""

    @property
    def profile(self) -> DeviceProfile:
        """What kind it is."""


class Lines(Protocol):
    """What this needs of the field."""

    def line(self, name: str) -> Line:
        """A line."""

    def wires(self) -> Mapping[str, Wire]:
        """The wires by their line's name."""

    def protocol(self, name: str) -> str:
        """What is spoken on it."""

    def traced(self, name: str) -> Sequence[Exchanged]:
        """Its last exchanges."""

    def at(self, name: str) -> Mapping[int | str, Owner]:
        """Its devices by Modbus ID."""

    def line_states(self) -> Sequence[LineState]:
        """What people see of each line."""

    def device_states(self) -> Sequence[DeviceState]:
        """What people see of each device."""


def bus_actions(field: Lines, catalogue: Catalogue, tasks: Tasks, traces: Traces, probe: Prober) -> Iterable[Action]:
    """Everything that is looked for on the lines; `catalogue` has the profiles that are recognised, `probe` reads a
    device that need not be configured."""

    def use(line: str) -> str:
        suspended = traces.state(line).suspended
        return suspended or (POLLING if field.at(line) else "")

    yield from scanning_actions(tasks, use, partial(_scan, field, catalogue))
    yield from identifying_actions(tasks, use, partial(_identify, field, catalogue), probe)


def _scan(field: Lines, catalogue: Catalogue, name: str, units: range, is_beside: bool, tell: Tell) -> Deferred[object]:
    if (spoken := field.protocol(name)) not in dialects():
        raise WrongArguments(f"line {name}: nobody is looked for by {spoken}, only by {' and '.join(dialects())}")
    return Deferred.fromCoroutine(_scanned(field, catalogue.again(), name, units, is_beside, tell))


async def _scanned(
    field: Lines, catalogue: Catalogue, name: str, units: range, is_beside: bool, tell: Tell
) -> list[dict[str, object]]:
    line, dialect = field.line(name), dialects()[field.protocol(name)]
    rest_s = TIMEOUT_S * (1 / SHARE - 1) if is_beside else 0.0
    scan = Scan(
        line.run,
        dialect.framing(),
        lambda profile, unit: dialect.station(profile, unit, {}),
        await profiles_of(catalogue, line.clock, with_marks=True),
        lambda done, text, found: tell(done, text, _listed(found)),
        there=[_found(state, field.at(name)) for state in field.device_states() if _is_at(state, name)],
        rest=lambda: deferLater(line.clock, rest_s),
        recognisers=(sunspec_of(dialect.framing(), catalogue, line.clock),),
    )
    return _listed(await scan.over(units))


def _identify(field: Lines, catalogue: Catalogue, name: str, unit: int, tell: Tell) -> Deferred[object]:
    if (spoken := field.protocol(name)) not in dialects():
        raise WrongArguments(f"line {name}: nobody is identified by {spoken}, only by {' and '.join(dialects())}")
    return Deferred.fromCoroutine(_identified(field, catalogue.again(), name, unit, tell))


async def _identified(field: Lines, catalogue: Catalogue, name: str, unit: int, tell: Tell) -> object:
    """Who is at a Modbus ID of a line: with its own settings, and with others where no device would miss it."""
    wire, here = field.wires()[name], field.at(name)
    own = Settings(wire.section.endpoint, wire.section.serial_address)
    known = here[unit].device.uid if unit in here else ""
    look = look_at(
        unit,
        wire.section.protocol,
        catalogue,
        lambda profile, unit: wire.station(Device("", name, profile.key, unit), profile),
        rest=_rest if here else None,
    )
    search = Search(look, lambda settings: wire.tuned(settings.serial or SerialAddress("")), tell)
    if search.seen(own, await look(wire.line, tell)) or own.serial is None:
        return search.told(name, own, known=known)
    if here:
        return search.told(name, own, ", for other devices of the line are read with it", known)
    further = further_wires(own, usual_settings(await profiles_of(catalogue, wire.line.clock, dialect=None)))
    async with wire.lent(LOOKING):
        await search.over(further, wire.line.clock)
    return search.told(name, own)


def prober(field: Lines, catalogue: Catalogue, taken: Taken) -> Prober:
    """What reads a device once that need not be configured, by its profile as the file is now. `taken(line, address,
    secondary)` says in words who has that place already, if anybody."""

    async def probe(line: str, profile: str, address: int | str, secondary: int | None) -> Mapping[str, object]:
        wire = field.wires().get(line)
        if wire is None:
            raise Unknown(f"line {line}{hint(line, field.wires())}")
        if wire.poller.suspended:
            raise Busy(f"line {line}: {wire.poller.suspended}")
        address = _address(address, is_mbus=wire.section.role == "mbus")
        if whose := taken(line, address, secondary):
            raise WrongArguments(whose)
        try:
            found = catalogue.again().get(profile)
        except ProfileError as error:
            raise WrongArguments(f"profile: {error.detail}") from error
        if (found.dialect == M_BUS) != (wire.section.protocol == M_BUS):
            raise WrongArguments(f"profile: found {profile}, expected one that is read by {wire.section.protocol}")
        if secondary is not None and not (has_secondaries(found) and 1 <= secondary <= MOST_SECONDARIES):
            raise WrongArguments(f"secondary: found {secondary}, expected none, or one that {profile} knows of")
        device = DeviceSection(line, profile, address, secondary=secondary).device("")
        own = Settings(wire.section.endpoint, wire.section.serial_address)
        further = further_wires(own, () if found.serial is None or field.at(line) else (found.serial,))
        try:
            settings, probed = await _probed(wire, device, found, own, further)
        except NoReply as error:
            with_ = " or ".join(filter(None, (each.settings for each in (own, *further))))
            told = f"nothing answered at ID {address}{f' with {with_}' if with_ else ''}"
            raise NoReply(f"{told} ({error.detail})") from error
        except NotOfProfile as error:
            raise NotConfirmed(f"it is no {profile}: {error.detail}") from error
        place = {"line": line, "address": address, "secondary": secondary, "settings": settings.settings}
        endpoint = own.endpoint if settings is own else endpoint_of(settings)
        return place | {"line_settings": own.settings, "endpoint": endpoint} | probed.as_json()

    return probe


async def _probed(
    wire: Wire, device: Device, profile: DeviceProfile, own: Settings, further: Sequence[Settings]
) -> tuple[Settings, Probed]:
    """What a device says, and with which settings: those of the line or, where nobody answers to them, of `further`,
    for which the line is lent. Raises NoReply where nobody answers to any."""

    async def over(line: Line) -> Probed:
        enquiry = Enquiry(line.run, _framing(wire.section.protocol), rest=lambda: _rest(line))
        return await Probe(enquiry, wire.station(device, profile), device.station, line.clock.seconds).over()

    try:
        return own, await over(wire.line)
    except NoReply:
        if not further:
            raise
    async with wire.lent(LOOKING):
        for settings in further:
            line = wire.tuned(settings.serial or SerialAddress(""))
            try:
                await opened(line, line.clock)
                return settings, await over(line)
            except (NoReply, LineLost) as error:
                trouble = error
            finally:
                await line.stop()
    raise NoReply(trouble.detail) from trouble


def _address(given: object, *, is_mbus: bool) -> int | str:
    """An address as the configuration would have it. Raises WrongArguments."""
    if is_mbus:
        rule = device_address(HIGHEST)
        try:
            found: int | str = rule.read(given)
        except Mismatch as error:
            raise WrongArguments(f"address: found {given!r}, expected {error.expected or rule.expected}") from error
        return found
    if not isinstance(given, int) or not 1 <= given <= HIGHEST:
        raise WrongArguments(f"address: found {given!r}, expected a whole number 1 … {HIGHEST}")
    return given


def _framing(protocol: str) -> Framing:
    """How a line's requests are framed; a probe of a device that is not Modbus needs none of its own."""
    return dialects()[protocol if protocol in dialects() else "modbus-rtu"].framing()


def _rest(line: Line) -> Deferred[None]:
    return deferLater(line.clock, REST_S)


def _is_at(state: DeviceState, line: str) -> bool:
    return state.line == line and state.secondary is None


def _found(state: DeviceState, known: Mapping[int | str, Owner]) -> Found:
    """A device that is polled, as a scan tells of it."""
    profile = known[state.address].profile.key
    return Found(
        state.address, state.health, (profile,), state.serial, state.model, state.firmware, state.uid, state.trouble
    )


def _listed(found: Sequence[Found]) -> list[dict[str, object]]:
    return [each.as_json() for each in found]
