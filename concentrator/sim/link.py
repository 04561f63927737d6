"""The meter's side of link mode: how a button and a master give a meter its Modbus ID. Hides windows, nonces and which
ID a meter listens to at a moment; knows nothing of frames and measures nothing. Time is an argument.

The theory (our own protocol, specification A.3.3). A meter is in one of four stages:

    normal       listens at its stored ID
    waiting      for 60 s at 247 and nowhere else, so that an ID given twice is quiet at once
    provisional  for 10 s at the new ID and nowhere else, until the master proves by the nonce that it meant this one
    committed    for 10 s as in normal operation, its LED telling the fitter that the ID is stored

    any --button--> waiting --serial and nonce fit--> provisional --nonce fits--> committed --10 s--> normal
    waiting --60 s or abort--> normal;  provisional --10 s--> waiting;  provisional --abort--> normal

Only the stored ID outlives a power cut, and it is written in one moment: when a commit is carried out. So whatever is
cut or lost in between, a meter is at the ID it had or at the one that was committed.

What the specification leaves open is read so: the button always begins link mode anew, with 60 s and a new nonce, in
whatever stage; a meter that falls back waits for another 60 s and keeps its nonce, so that a master which noted the
assignment can repeat it; a commit may be repeated while the LED still tells of it, for its reply may have been lost.
"""

from __future__ import annotations

import random
from enum import IntEnum, StrEnum
from math import ceil, inf

from attrs import define, field

LINK_ID = 247
FACTORY_ID = 1
WAITING_S = 60.0
PROVISIONAL_S = 10.0
COMMITTED_S = 10.0


class Stage(IntEnum):
    """Where a meter is; the number is what its register link_state holds."""

    NORMAL = 0
    WAITING = 1
    PROVISIONAL = 2
    COMMITTED = 3


class Led(StrEnum):
    """What the meter's blue LED does."""

    OFF = "off"
    SLOW = "slow"
    FAST = "fast"


_LED = {Stage.NORMAL: Led.OFF, Stage.WAITING: Led.SLOW, Stage.PROVISIONAL: Led.SLOW, Stage.COMMITTED: Led.FAST}


@define(eq=False)
class MeterLink:
    """One meter's link mode. `serial`: its ten digits; `stored_id`: the Modbus ID that outlives a power cut, 1 from the
    factory; `seed` decides its nonces. Every method takes the moment `at`, in seconds of one clock."""

    serial: str
    stored_id: int = FACTORY_ID
    seed: str = ""
    nonce: int = field(init=False, default=0)
    _stage: Stage = field(init=False, default=Stage.NORMAL)
    _new_id: int = field(init=False, default=0)
    _until: float = field(init=False, default=inf)
    _draw: random.Random = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._draw = random.Random(f"{self.seed}/{self.serial}/link")

    def stage(self, at: float) -> Stage:
        """Where it is now."""
        while at >= self._until:
            ended = self._until
            if self._stage is Stage.PROVISIONAL:
                self._go(Stage.WAITING, ended + WAITING_S)
            else:
                self._rest()
        return self._stage

    def listens(self, at: float) -> int:
        """The one ID at which it answers now."""
        stage = self.stage(at)
        return LINK_ID if stage is Stage.WAITING else self._new_id if stage is Stage.PROVISIONAL else self.stored_id

    def led(self, at: float) -> Led:
        """What the LED shows of link mode now."""
        return _LED[self.stage(at)]

    def seconds_left(self, at: float) -> int:
        """Whole seconds, rounded up, until it leaves its stage by itself; 0 in normal operation."""
        return 0 if self.stage(at) is Stage.NORMAL else ceil(self._until - at)

    def press(self, at: float) -> None:
        """The button is released."""
        self._roll()
        self._go(Stage.WAITING, at + WAITING_S)

    def assign(self, serial: str, new_id: int, nonce: int, at: float) -> bool:
        """A master gives an ID to the meter of this serial and nonce; tells whether this is the one."""
        if self.stage(at) is not Stage.WAITING or (serial, nonce) != (self.serial, self.nonce):
            return False
        if not 1 <= new_id < LINK_ID:
            return False
        self._new_id = new_id
        self._go(Stage.PROVISIONAL, at + PROVISIONAL_S)
        return True

    def commit(self, nonce: int, at: float) -> bool:
        """A master says for good; tells whether it meant this meter, which now has the ID."""
        stage = self.stage(at)
        if stage not in (Stage.PROVISIONAL, Stage.COMMITTED) or nonce != self.nonce:
            return False
        if stage is Stage.PROVISIONAL:
            self.stored_id = self._new_id
            self._go(Stage.COMMITTED, at + COMMITTED_S)
        return True

    def reroll(self, at: float) -> None:
        """Every meter that waits draws a new nonce; one at its provisional ID keeps the nonce it was found by."""
        if self.stage(at) is Stage.WAITING:
            self._roll()

    def abort(self, at: float) -> None:
        """Link mode is over: back to the stored ID."""
        if self.stage(at) in (Stage.WAITING, Stage.PROVISIONAL):
            self._rest()

    def cut(self) -> None:
        """The power fails: what was not stored is gone."""
        self._rest()

    def _roll(self) -> None:
        self.nonce = self._draw.getrandbits(16)

    def _rest(self) -> None:
        self.nonce = 0
        self._go(Stage.NORMAL, inf)

    def _go(self, stage: Stage, until: float) -> None:
        self._stage, self._until = stage, until
