"""What the parts of the house promise each other, and what a part written elsewhere has to offer. Structural types:
whoever has these methods fits; nobody inherits from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from attrs import field, frozen
from twisted.internet.defer import Deferred

from concentrator.model.profile import Block, DeviceProfile
from concentrator.model.quantity import Quantity
from concentrator.model.reading import Value
from concentrator.model.record import Batch, Receipt
from concentrator.wire.conversation import Conversation


class Wall(Protocol):
    """The wall clock: for stamping, never for waiting."""

    def now(self) -> float:
        """UTC seconds."""

    def is_trusted(self) -> bool:
        """Whether the time can be believed yet."""


@frozen
class Taken:
    """What a read took from a device: the values, and the names that were asked for and did not come."""

    values: Mapping[str, Value]
    missing: tuple[str, ...] = ()


class Station(Protocol):
    """A protocol's memory about one device: what it reads in one go (`blocks`), and conversations for the line."""

    blocks: Sequence[Block]

    def read(self, block: Block) -> Conversation[Taken]:
        """Reads one block and decodes its points."""

    def identify(self) -> Conversation[Taken]:
        """Reads what tells the device from others: `serial`, `model`, `firmware`, as far as it has them."""

    def lost(self) -> None:
        """The line reopened: what the device knew of us is gone."""


class Dialect(Protocol):
    """How a protocol reads what a profile describes."""

    name: str

    def station(self, profile: DeviceProfile, address: int, parameters: Mapping[str, object]) -> Station:
        """The station at an address of a line; `parameters` are the device's and line's own settings."""


@frozen
class UplinkState:
    """What people see of an uplink: whether it is connected, since when (UTC seconds), its last success, what is
    wrong now in a sentence (empty when nothing is), and how many records wait (None: not known)."""

    name: str
    kind: str
    address: str
    is_up: bool = False
    since: float | None = None
    last_success: float | None = None
    trouble: str = ""
    waiting: int | None = None
    delivered: int = 0
    rejected: int = 0


@frozen
class Standing:
    """How an uplink is doing: whether it can deliver, since when that is so (UTC seconds; None until first known),
    and what is wrong now in a sentence, empty when nothing is."""

    is_up: bool = False
    since: float | None = None
    trouble: str = ""

    def turned(self, now: float, trouble: str = "", *, is_up: bool = False) -> Standing:
        """What is known from `now` (UTC seconds) on; `since` moves only when going up or down."""
        since = now if self.since is None or is_up != self.is_up else self.since
        return Standing(is_up, since, trouble)


class Uplink(Protocol):
    """A way out. It only knows its protocol: what to send, when, and what to do about failure is the uploader's."""

    name: str
    kind: str
    address: str

    def start(self) -> None:
        """Begins connecting, if the protocol keeps a connection; never blocks."""

    def stop(self) -> Deferred[None]:
        """Says goodbye and lets go; fires when nothing is left."""

    def send(self, batch: Batch) -> Deferred[Receipt]:
        """Sends a batch; fires with what became of it, or fails with TryLater."""

    def when_ready(self) -> Deferred[None]:
        """Fires when sending has a chance (at once, where no connection is kept)."""

    def standing(self) -> Standing:
        """How it is doing now."""


class Feed(Protocol):
    """Where an uploader takes its batches from, and gives their receipts back."""

    def read(self) -> Deferred[Batch | None]:
        """The next batch, or None when there is nothing now."""

    def settle(self, batch: Batch, receipt: Receipt) -> Deferred[None]:
        """Moves the reader's position; fires when that is on the disk or will be with the next commit."""

    def when_more(self) -> Deferred[None]:
        """Fires when it is worth reading again."""

    def waiting(self) -> int | None:
        """How many records are unsettled, as last known."""


@frozen
class FileBatch(Batch):
    """A batch that is one file: `stem` is its name without the ending, `serial` its device, `start` and `stop` the
    period's bounds in UTC seconds, `columns` in order; records ending at or before `start` are late ones of earlier
    periods. Its records never change once the intent is on the disk."""

    stem: str = ""
    serial: str = ""
    columns: tuple[Quantity, ...] = ()
    start: int = 0
    stop: int = 0
    intent: int = 0


Report = Callable[[str, Mapping[str, object]], None]
"""`report(name, facts)`: something happened that people and uplinks should hear of. `facts` is JSON-able and names
the device by `device` (its short id) where there is one."""


@frozen
class LineState:
    """What people see of a line: whether it is open, what is wrong when it is not, and its counters by name."""

    name: str
    endpoint: str
    is_open: bool
    trouble: str = ""
    counters: Mapping[str, float] = field(factory=dict)


@frozen
class DeviceState:
    """What people see of a device: who it is, how it answers, its newest values.

    `health`: new, answering, doubtful or silent; `values`: quantity name → (value, UTC seconds of its reading);
    `points`: (name, label, unit) of each quantity, in the profile's order.
    """

    uid: str
    alias: str
    serial: str
    model: str
    firmware: str
    protocol: str
    line: str
    address: int
    health: str
    last_seen: float | None
    trouble: str
    values: Mapping[str, tuple[Value, float]]
    points: Sequence[tuple[str, str, str]]
