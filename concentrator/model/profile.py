"""A device profile: the frozen table of what a kind of device offers and how it wants to be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from attrs import field, frozen

from concentrator.model.quantity import Quantity
from concentrator.model.reading import Value

if TYPE_CHECKING:
    from concentrator.model.effect import Effect
    from concentrator.model.genset_rules import GensetRules


class Rate(StrEnum):
    """How often a point is wanted. fast: at the device's interval; normal: every minute; slow: every ten minutes;
    control: at most every second, when something regulates on it."""

    FAST = "fast"
    NORMAL = "normal"
    SLOW = "slow"
    CONTROL = "control"


class Status(StrEnum):
    """How far a profile's facts were confirmed. verified: read from a real device; cross-checked: its main values agree
    in two sources; single-source: one source says so; proposed: nobody published them, or nobody says who did."""

    VERIFIED = "verified"
    CROSS_CHECKED = "cross-checked"
    SINGLE_SOURCE = "single-source"
    PROPOSED = "proposed"


class Sign(StrEnum):
    """What a positive active power of a device means, once decoded. import: it is taken from the grid; generation: the
    device gives it out; none: the device tells no direction."""

    IMPORT = "import"
    GENERATION = "generation"
    NONE = "none"


class Function(StrEnum):
    """The four tables of the Modbus data model (Modbus Application Protocol V1.1b3, 4.3)."""

    COIL = "coil"
    DISCRETE = "discrete"
    HOLDING = "holding"
    INPUT = "input"

    @property
    def is_bits(self) -> bool:
        """Whether the table holds bits rather than registers."""
        return self in (Function.COIL, Function.DISCRETE)


@frozen(cache_hash=True)
class Point:
    """One value of a device, as it lies in its registers.

    `address`: the 0-based address on the wire; `count`: registers (or coils) it takes; `encoding`: one of
    `profile.encodings`; value = (raw + offset) * scale, then * 10^sf where `sf_address` names a register that
    holds sf; `bit`: which bit of the register a bool or nibble is; `little_word`: low word first; `words`: the
    addresses of a value that is spread, high word first; `plus` and `less`: the addresses of further raw values of the
    same encoding, added to this one or taken from it; `is_folded`: what lies beyond 1 or -1 is as far on its other
    side (a power factor that tells its quadrant); `is_percentage`: it is in percent, but what lies between -1 and 1 is
    the plain number (a power factor, which makers give one way or the other); `sentinels`: raw values that mean "not
    available";
    `enum`: value → text; `rate` and `every_s`: how often it is wanted, `every_s` (seconds) deciding where given;
    `span`: the least and the most that may be written, None where nothing is said;
    `stays`: whether reading gives what was written, which it does not of a clock or of what counts down;
    `recorded`: whether intervals keep it; `polled`: whether the cycle reads it at all; `checked`: whether two
    sources agree on it; `identifies`: whether it is read to know the device (its serial, model, firmware), and
    `match`: what it must then read, in the words of the source.
    """

    quantity: Quantity
    function: Function
    address: int
    count: int
    encoding: str
    scale: float = 1.0
    offset: float = 0.0
    bit: int | None = None
    little_word: bool = False
    words: tuple[int, ...] = ()
    plus: tuple[int, ...] = ()
    less: tuple[int, ...] = ()
    is_folded: bool = False
    is_percentage: bool = False
    sf_address: int | None = None
    sentinels: tuple[int | float, ...] = ()
    enum: Mapping[int, str] = field(factory=dict, hash=False)
    rate: Rate = Rate.FAST
    every_s: float | None = None
    unit_id: int | None = None
    writable: bool = False
    span: tuple[float, float] | None = None
    stays: bool = True
    recorded: bool = True
    polled: bool = True
    checked: bool = False
    identifies: bool = False
    match: str = ""
    note: str = ""

    @property
    def addresses(self) -> Sequence[int]:
        """The addresses it takes, in the order in which its registers are encoded; of a sum, those of all its parts."""
        if self.is_sum:
            starts = (self.address, *self.plus, *self.less)
            return [address for start in starts for address in range(start, start + self.count)]
        return self.words or range(self.address, self.address + self.count)

    @property
    def is_sum(self) -> bool:
        """Whether it is made of several values, so that no register is its own."""
        return bool(self.plus or self.less)

    @property
    def name(self) -> str:
        """The quantity's canonical short name."""
        return self.quantity.name


@frozen(cache_hash=True)
class Block:
    """Registers read by one request: `count` of them from `address` on, for the points in it. All of it is wanted
    at one cadence: `rate`, or `every_s` (seconds) where given; `unit_id`: the Modbus ID to ask, where it is not the
    device's own. Without points it is read for its registers' sake (a scale factor, the support bits of commands).
    With `parts` it is these blocks, asked for at once: its address is the first one's, and it has all their points."""

    function: Function
    address: int
    count: int
    points: tuple[Point, ...] = ()
    rate: Rate = Rate.FAST
    every_s: float | None = None
    unit_id: int | None = None
    parts: tuple[Block, ...] = ()


@frozen
class Traits:
    """What a device can bear: its longest read (registers), the widest hole worth reading over (registers),
    addresses no read may cross (a read ends before one or begins at it), the pause it wants after a reply (seconds),
    how long its answer may take to begin (seconds), whether each of its points is an object of its own, read alone, so
    that neighbouring addresses are not neighbouring registers, how long a written value takes to take effect
    (`settle_s`, seconds), whether even a single register is written by function 16 (`writes_many`), how many requests
    it bears at once where they are numbered, which is over Modbus TCP (`in_flight`), and how often it is asked who it
    is (`identify_s`, seconds)."""

    longest_read: int = 125
    widest_hole: int = 10
    barriers: tuple[int, ...] = ()
    pause_s: float = 0.0
    answer_s: float = 0.3
    alone: bool = False
    settle_s: float = 0.5
    writes_many: bool = False
    in_flight: int = 1
    identify_s: float = 60.0


@frozen
class SerialDefaults:
    """The line settings a device leaves the factory with, and how sure we are of them."""

    baudrate: int
    parity: str = "N"
    stopbits: int = 1
    bytesize: int = 8
    confidence: str = ""


@frozen
class Command:
    """Something a device can be told: where to write which raw values, and what its answer must be; `leads_to`: what
    its status shows afterwards, any one of them, where its name does not say that."""

    name: str
    function: Function
    address: int
    values: tuple[int, ...]
    single_write: bool = False
    pulse_ms: int | None = None
    result_address: int | None = None
    result_ok: int | None = None
    support_register: int | None = None
    support_bit: int | None = None
    leads_to: tuple[Effect, ...] = ()
    note: str = ""


@frozen
class Evidence:
    """An exchange the profile must decode to exactly these values: whole frames as on the wire, and in words where
    they come from ("captured on …", or "documented, not captured")."""

    source: str
    request: bytes
    response: bytes
    values: Mapping[str, Value]


SUNSPEC = "sunspec"
"""The dialect of devices whose registers have no fixed place: they are found by walking a chain of SunSpec models."""


@frozen
class DeviceProfile:
    """Everything the house knows of one series of devices. `key` is `folder/file` in its profile folder;
    `blocks` are the reads its file asks for, empty where they are to be planned; `protocol_label` is the last part of
    the label people see (MB_RTU_CCM, MB_TCP_EXT); `status` and, in words, `confidence` say how far its facts were
    confirmed, `sources` where they come from, `doubts` what may be wrong; `sign`: what a positive power means, None
    where the file does not say; `secondary_points` are what a principal tells of each of its secondaries in a table,
    their addresses counted from its entry's beginning; `genset`: how a genset's status follows from the values, None
    where the file does not say; `settings` holds what only its dialect understands."""

    key: str
    type: str
    brand: str
    device_class: str
    series: str
    models: tuple[str, ...]
    points: tuple[Point, ...]
    blocks: tuple[Block, ...] = ()
    traits: Traits = Traits()
    commands: tuple[Command, ...] = ()
    serial: SerialDefaults | None = None
    dialect: str = "modbus"
    protocol_label: str = "EXT"
    status: Status = Status.PROPOSED
    sign: Sign | None = None
    confidence: str = ""
    sources: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    secondary_points: tuple[Point, ...] = ()
    genset: GensetRules | None = None
    settings: Mapping[str, object] = field(factory=dict)

    def point(self, name: str) -> Point | None:
        """The point of that quantity, or None where the device has none."""
        return next((point for point in self.points if point.name == name), None)
