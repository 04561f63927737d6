"""The devices of the box as slave ports see them: what is known of each for the map, and one of them for a mirror.
Hides that devices come and go, and turn out to be others, while they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, fail

from concentrator.actions.table import Caller, Permission
from concentrator.app.field import Field, Known
from concentrator.app.ways import Around
from concentrator.dialect.image import RegisterImage
from concentrator.dialect.modbus import ModbusStation
from concentrator.model.errors import Busy, NoReply, Unknown
from concentrator.model.profile import Block, DeviceProfile, Function, Rate
from concentrator.model.quantity import Quantity
from concentrator.model.reading import Quality, Value
from concentrator.poll.polled import period_s
from concentrator.profile.plan import RATE_S
from concentrator.slave.mirror import Image
from concentrator.slave.register_map import Shown, State
from concentrator.wire.modbus import read, rtu_frame
from concentrator.wire.modbus_server import Read

_STATES = {
    "new": State.NEW,
    "answering": State.ANSWERING,
    "doubtful": State.DOUBTFUL,
    "silent": State.SILENT,
}
ASKING = frozenset((Permission.READ, Permission.WRITE))
"""What a slave port may have done; what it may write is the devices' own affair."""


@define(eq=False)
class FieldDevices:
    """All devices, for the map of the slave port called `name`."""

    _around: Around
    _name: str
    _rounds: dict[str, tuple[DeviceProfile, float, Mapping[str, float]]] = field(factory=dict, init=False)

    def shown(self, uid: str) -> Shown | None:
        """What is known of a device now; None where there is none of that name."""
        field_ = self._around.field_
        known = field_.known().get(uid)
        if known is None:
            return None
        newest = field_.latest.of(uid)
        return Shown(
            alias=known.device.label,
            serial=field_.book.serial(uid),
            model=_model(known, newest.values.get("model", ("", 0.0))[0]),
            state=_state(known),
            address=known.device.address,
            at=newest.last_seen,
            values=newest.values,
            rounds_s=self._rounds_of(known),
        )

    def write(self, uid: str, name: str, value: Value, by: str) -> Deferred[object]:
        """Writes a variable as everybody outside does."""
        asked = {"uid": uid, "name": name, "value": value}
        return self._around.ask("device.write", asked, _caller(self._name, by))

    def _rounds_of(self, known: Known) -> Mapping[str, float]:
        uid, profile, interval_s = known.device.uid, known.profile, known.device.interval_s
        found = self._rounds.get(uid)
        if found is None or found[0] is not profile or found[1] != interval_s:
            rounds = {
                point.name: point.every_s or (interval_s if point.rate is Rate.FAST else RATE_S[point.rate])
                for point in profile.points
            }
            found = self._rounds[uid] = profile, interval_s, rounds
        return found[2]


def _caller(name: str, by: str) -> Caller:
    return Caller(f"modbus_slave.{name}{f' {by}' if by else ''}", ASKING)


def _model(known: Known, value: Value) -> str:
    point = known.profile.point("model")
    return point.enum.get(value, str(value)) if point is not None and isinstance(value, int) else str(value)


def _state(known: Known) -> State:
    polled = known.polled
    if polled.conflict:
        return State.CONFLICT
    if polled.quality is Quality.SUSPENDED:
        return State.SUSPENDED
    return _STATES.get(polled.health.label, State.NEW)


@frozen(eq=False)
class _Image:
    """The image of a device some of whose reads are objects that must not be put together."""

    image: RegisterImage
    is_alone: bool

    def content(self, function: Function, address: int, count: int) -> tuple[bytes, float] | None:
        return self.image.content(function, address, count, is_alone=self.is_alone)


@frozen(eq=False)
class FieldOriginal:
    """One device, for the mirror of the slave port called `name`."""

    _around: Around
    _name: str
    _uid: str

    def image(self) -> Image | None:
        """What was read of it; None where it is not there, where another device answers in its place, and where its
        registers have no fixed place."""
        known = self._known
        if known is None or not isinstance(known.station, ModbusStation) or known.polled.conflict:
            return None
        return _Image(known.station.image(known.device.address), known.profile.traits.alone)

    def blocks(self) -> Sequence[tuple[Block, float]]:
        """What is read of it, and how often, in seconds."""
        known = self._known
        if known is None:
            return ()
        identify_s = known.profile.traits.identify_s
        found = [(block, period_s(block, known.device)) for block in known.station.blocks]
        return [*found, *((block, identify_s) for block in getattr(known.station, "who", ()))]

    def is_answering(self) -> bool:
        """Whether it answers the box."""
        known = self._known
        return known is not None and not known.polled.conflict and known.polled.health.label == "answering"

    def fetch(self, wanted: Read) -> Deferred[bytes]:
        """Reads from it what is wanted, in its turn; fires with the content as it travels. Fails with Unknown, NoReply
        or Busy where it cannot be asked."""
        known, field_ = self._known, self._around.field_
        if known is None:
            return fail(Unknown(f"device {self._uid}"))
        poller = field_.poller(known.device.line)
        if poller.suspended:
            return fail(Busy(poller.suspended))
        if not isinstance(known.station, ModbusStation) or known.polled.conflict:
            return fail(NoReply(f"{self._uid}: {known.polled.conflict or 'its registers have no fixed place'}"))
        asking = known.station.ask(read(wanted.function, wanted.address, wanted.count))
        return field_.line(known.device.line).run(known.device.station, asking)

    def pass_on(self, pdu: bytes, by: str) -> Deferred[bytes]:
        """Has it carry out a request that writes, as everybody outside has to; fires with the PDU of the answer."""
        frame = rtu_frame(0, pdu).hex()  # unit 0 becomes its own
        asking = self._around.ask("modbus.raw", {"uid": self._uid, "request": frame}, _caller(self._name, by))
        return asking.addCallback(lambda found: bytes.fromhex(found["reply"]))

    @property
    def _known(self) -> Known | None:
        return self._around.field_.known().get(self._uid)


def quantity_of(field_: Field, uid: str, name: str) -> Quantity | None:
    """What a value of a device is; None where it has none of that name now."""
    known = field_.known().get(uid)
    point = known.profile.point(name) if known is not None else None
    return point.quantity if point is not None else None


def is_writable(field_: Field, uid: str, name: str) -> bool:
    """Whether a value of a device can be written at all, and the device may be."""
    known = field_.known().get(uid)
    point = known.profile.point(name) if known is not None else None
    return known is not None and point is not None and point.writable and known.device.allow_write
