"""What the parts of the house promise each other, and what a part written elsewhere has to offer. Structural types:
whoever has these methods fits; nobody inherits from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from attrs import field, frozen
from twisted.internet.defer import Deferred, succeed

from concentrator.model.profile import Block, DeviceProfile
from concentrator.model.quantity import Quantity
from concentrator.model.reading import Value
from concentrator.model.record import Batch, Receipt, Record
from concentrator.wire.conversation import Conversation


class Wall(Protocol):
    """The wall clock: for stamping, never for waiting."""

    def now(self) -> float:
        """UTC seconds."""

    def is_trusted(self) -> bool:
        """Whether the time can be believed yet."""


@frozen
class Taken:
    """What a read took from a device: the values, and the names that were asked for and did not come. `tells_who`: who
    it is, is among them, though that was not what was asked."""

    values: Mapping[str, Value]
    missing: tuple[str, ...] = ()
    tells_who: bool = False


class Station(Protocol):
    """A protocol's memory about one device: what it is (`profile`), what is read of it in one go (`blocks`), and
    conversations for the line. Some devices say only when they are asked what they have: after any conversation both
    may be others than before, other objects then."""

    profile: DeviceProfile
    blocks: Sequence[Block]

    def read(self, block: Block) -> Conversation[Taken]:
        """Reads one block and decodes its points."""

    def refused(self, block: Block, code: int) -> Sequence[Block]:
        """The device refused a block with that exception code: what to read in its place from now on. The block
        itself, alone, where there is nothing smaller to try; `blocks` is up to date afterwards."""

    def identify(self) -> Conversation[Taken]:
        """Reads what tells the device from others: `serial`, `model`, `firmware`, as far as it has them."""

    def write(self, name: str, value: Value) -> Conversation[None]:
        """Writes one variable, once; it is not read back. Before anything is sent, raises Unknown, NotWritable or
        OutOfRange."""

    def read_point(self, name: str) -> Conversation[Value]:
        """Reads one variable by itself, fresh from the device. Raises Unknown where the profile has none of that
        name."""

    def as_read(self, name: str, value: Value) -> Value:
        """What reading the variable gives once that value was written: rounded to its steps, an enum's number. To be
        asked when it was written or read; raises like `write`."""

    def lost(self) -> None:
        """The line reopened: what the device knew of us is gone."""


class Dialect(Protocol):
    """How a protocol reads what a profile describes."""

    name: str

    def station(self, profile: DeviceProfile, address: int, parameters: Mapping[str, object]) -> Station:
        """The station at an address of a line; `parameters` are the device's and line's own settings."""


@frozen
class Candidate:
    """A device in link mode: who it is, the Modbus ID it kept (1: never given one), and the random number by which it
    tells itself from others for now."""

    serial: str
    kept_id: int
    nonce: int


class LinkProtocol(Protocol):
    """How the devices of a profile are given their Modbus ID: conversations, none of which repeats a write by itself.
    `link_id` is the ID at which devices in link mode answer; `slots` how many there are in which colliding devices are
    looked for one by one."""

    link_id: int
    slots: int

    def look(self, slot: int | None = None) -> Conversation[Candidate | None]:
        """Whoever is in link mode (in one slot only); None when nobody answers. A WireError says that several
        answered at once, or noise."""

    def assign(self, candidate: Candidate, unit: int) -> Conversation[None]:
        """Gives a device an ID, to be committed within ten seconds."""

    def who(self, unit: int) -> Conversation[str | None]:
        """The serial of whoever answers at an ID; None when nobody does."""

    def commit(self, candidate: Candidate, unit: int) -> Conversation[None]:
        """Lets a device keep the ID it was given."""

    def draw_again(self) -> Conversation[None]:
        """Every device in link mode draws a new number; nobody answers that."""

    def leave(self) -> Conversation[None]:
        """Every device leaves link mode with the ID it had; nobody answers that."""


@frozen
class MonthsTraffic:
    """What a connection has carried in a calendar month, such as "2026-11": bytes received and sent, and how many it
    may carry in all (0: any number)."""

    month: str
    received: int
    sent: int
    cap: int = 0


@frozen
class UplinkState:
    """What people see of an uplink: whether it is connected, since when (UTC seconds), its last success, what is
    wrong now in a sentence (empty when nothing is), how many records wait (None: not known), and what this month's
    traffic is (None: not counted). `commands`: how many came by it, by what became of them."""

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
    traffic: MonthsTraffic | None = None
    commands: Mapping[str, int] = field(factory=dict)


@frozen
class Standing:
    """How an uplink is doing: whether it can deliver, since when that is so (UTC seconds; None until first known),
    what is wrong now in a sentence, empty when nothing is, and its traffic where that is counted."""

    is_up: bool = False
    since: float | None = None
    trouble: str = ""
    traffic: MonthsTraffic | None = None

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


class Inbox(Protocol):
    """Who takes what the outside publishes to the box, over an uplink that can be spoken to.

    `topic`: where that is published. `received` is called with each payload, of at most 64 KiB, whether the broker had
    kept it from before (`is_retained`), and with what publishes an answer: it may be called at any time later, any
    number of times, drops what cannot be said at that moment, and fires with whether the broker has taken the answer.
    """

    topic: str

    def received(self, payload: bytes, is_retained: bool, answer: Callable[[bytes], Deferred[bool]]) -> None:
        """Somebody published this; whatever it is, nothing is raised."""


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


def _picks_nothing(numbers: Sequence[int]) -> Deferred[Sequence[Record]]:
    return succeed(())


@frozen
class FileBatch(Batch):
    """A batch that is one file: `stem` is its name without the ending, `uid` and `serial` its device, `start` and
    `stop` the period's bounds in UTC seconds, `period` the length of its newest interval in seconds (None where there
    is no interval), `columns` in order.

    It has no `records`, for a day of them is long: `numbers` are those it settles, `rows` those that become rows, in
    the order they do, and `pick(numbers)` gives the records of some of them, in any order; a record that was deleted
    meanwhile is missing there. Records that end at or before `start` are late ones of earlier periods. What a file
    holds never changes once its intent is on the disk.
    """

    stem: str = ""
    uid: str = ""
    serial: str = ""
    columns: tuple[Quantity, ...] = ()
    start: int = 0
    stop: int = 0
    period: int | None = None
    numbers: tuple[int, ...] = ()
    rows: Sequence[int] = ()
    pick: Callable[[Sequence[int]], Deferred[Sequence[Record]]] = field(default=_picks_nothing, eq=False)
    intent: int = 0


Report = Callable[[str, Mapping[str, object]], None]
"""`report(name, facts)`: something happened that people and uplinks should hear of. `facts` is JSON-able and names
the device by `device` (its short id) where there is one."""


@frozen
class LineState:
    """What people see of a line: whether it is open, what is wrong when it is not, its counters by name, those of each
    Modbus ID (`stations`), the share of the last minute the wire was used, the seconds a round of its fast reads takes
    (None: not known yet), and why it is not read now, if so."""

    name: str
    endpoint: str
    is_open: bool
    trouble: str = ""
    counters: Mapping[str, float] = field(factory=dict)
    role: str = ""
    stations: Mapping[str, Mapping[str, float]] = field(factory=dict)
    utilisation: float = 0.0
    round_s: float | None = None
    suspended: str = ""


@frozen
class DeviceState:
    """What people see of a device: who it is, how it answers, its newest values.

    `health`: new, answering, doubtful or silent; `values`: quantity name → (value, UTC seconds of its reading);
    `points`: (name, label, unit) of each quantity, in the profile's order; `quality`: of its newest reading;
    `secondary`: n of the n-th secondary behind the principal at `address`; `round_s`: the seconds between its last two
    reads of what is read most often; `tries`: how the last ones went, oldest first, each the kind of what was wrong (as
    `trouble_of` names it), empty where there was an answer; `profile`: its profile's key; `selected`: the secondary
    address of an M-Bus meter that is selected by it, else empty; `sign`: what a positive power of it means (import,
    generation, none), empty where that is not known; `alarm`: the worst of a genset (`model.genset.Alarm`), else empty.
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
    quality: str = ""
    secondary: int | None = None
    round_s: float | None = None
    tries: Sequence[str] = ()
    profile: str = ""
    sign: str = ""
    selected: str = ""
    alarm: str = ""


@frozen
class OutputState:
    """What people see of an output: its name, its state (whether a relay is closed, or volts), who set it last and
    when (UTC seconds; None where nobody did since the program began), and its function, "manual" where it is set by
    hand."""

    name: str
    value: bool | float
    set_by: str = ""
    set_at: float | None = None
    function: str = "manual"


@frozen
class InputState:
    """What people see of an input: whether it is active, and what that does (`panel.functions`)."""

    is_active: bool = False
    function: str = "none"


@frozen
class PanelState:
    """What people see of the front of the box: the pattern of each light by its name, as `panel.lights` names them, its
    outputs and inputs, what they are made of, and whose front it is (`scheme`). `showing` is what all lights say
    together just now instead of what each means: "lamp_test", "reset", or nothing."""

    lights: Mapping[str, str] = field(factory=dict)
    outputs: Sequence[OutputState] = ()
    inputs: Sequence[InputState] = ()
    board: str = "virtual"
    scheme: str = "ccmaster"
    showing: str = ""


@frozen
class Happened:
    """Something that happened: its number since the program began, when (UTC seconds), its name and its facts."""

    number: int
    at: float
    name: str
    facts: Mapping[str, object]
