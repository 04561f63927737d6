"""What people see of link mode: who was linked, what is going on, and what went wrong the last time, as a sentence and
as a word that other languages can go by. Hides which news replaces which: a trouble stands until the next meter is
dealt with."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, evolve, field, frozen

from concentrator.poll.registrar import FACTORY_ID, Outcome, Verdict

COLLIDING = "two devices answer, press one button at a time"


@frozen
class Linked:
    """A meter that has its ID; `is_known`: the box had it as a device before."""

    serial: str
    unit: int
    is_known: bool = False


@frozen
class LinkStatus:
    """What people see of link mode: its `state` in a word (off, starting, looking, collision, assigning, confirming,
    leaving), the meters linked this time, the last trouble in a sentence, and the seconds until it ends by itself.

    `code` is what there is to say in a word, empty where nothing is: collision, failed (a meter did not confirm its
    ID), at_one (somebody who is not linked is in its way at ID 1), full, trouble
    (what `text` says), alone (it ended because no meter came), interrupted (a power cut came between). `serial` and
    `unit` are whom it is about. `in_hand`: the meter that is being linked, its ID 0 while that is not chosen.
    `undecided`: those whose ID is being found out; `released`: those who turned out not to have kept theirs; `taken`:
    how many meters the line has besides the one at ID 1, of `limit` that it may have.
    """

    line: str
    is_on: bool
    state: str
    found: tuple[Linked, ...] = ()
    text: str = ""
    seconds_left: float = 0.0
    code: str = ""
    serial: str = ""
    unit: int = 0
    in_hand: Linked | None = None
    undecided: tuple[Linked, ...] = ()
    released: tuple[Linked, ...] = ()
    taken: int = 0
    limit: int = 0


@define
class LinkNews:
    """The news of one time in link mode, or of what was left to do after a power cut."""

    found: dict[str, Linked] = field(factory=dict)
    _released: dict[str, int] = field(factory=dict)
    _text: str = ""
    _code: str = ""
    _serial: str = ""
    _unit: int = 0

    def told(self, status: LinkStatus, in_hand: str, undecided: Mapping[str, int]) -> LinkStatus:
        """How it stands, with the news. `in_hand`: the serial of the meter that is being linked; `undecided`: serial →
        ID of those that may or may not have kept it."""
        return evolve(
            status,
            found=tuple(self.found.values()),
            text=self._text,
            code=self._code,
            serial=self._serial,
            unit=self._unit,
            in_hand=Linked(in_hand, undecided.get(in_hand, 0)) if in_hand else None,
            undecided=_linked(undecided),
            released=_linked(self._released),
        )

    def linked(self, serial: str, unit: int, is_known: bool) -> None:
        """A meter has its ID. One that is linked twice is as new as it was the first time."""
        before = self.found.get(serial)
        self.found[serial] = Linked(serial, unit, before.is_known if before else is_known)
        self._released.pop(serial, None)
        if serial == self._serial:
            self._text = ""
            self._is_said("")

    def heard(self, name: str, facts: Mapping[str, object]) -> None:
        """Something was reported of a meter."""
        if name not in ("link.failed", "link.limit"):
            return
        serial, unit = str(facts.get("serial", "")), facts.get("unit")
        number = unit if isinstance(unit, int) else 0
        self._text = str(facts["text"])
        if self._code == "interrupted":
            self._released[serial] = number
        else:
            self._is_said("full" if name == "link.limit" else "failed", serial, number)

    def came_of(self, serial: str, outcome: Outcome) -> None:
        """What became of a meter that was to be linked."""
        self._text = outcome.text
        if outcome.verdict is Verdict.LINKED:
            self._is_said("")
        elif outcome.verdict is Verdict.FULL:
            self._is_said("full", serial)
        else:
            self._is_said("at_one" if outcome.unit == FACTORY_ID else "failed", serial, outcome.unit)

    def collided(self) -> None:
        """Several answer at once."""
        self._text = COLLIDING
        self._is_said("collision")

    def trouble(self, text: str) -> None:
        """A step could not be carried out."""
        self._text = text
        self._is_said("trouble")

    def left_alone(self) -> None:
        """It ends by itself."""
        self._is_said("alone")

    def interrupted(self, undecided: Mapping[str, int]) -> None:
        """The program started, and found meters that were being linked when it ended."""
        if undecided:
            self._is_said("interrupted")

    def _is_said(self, code: str, serial: str = "", unit: int = 0) -> None:
        self._code, self._serial, self._unit = code, serial, unit


def _linked(units: Mapping[str, int]) -> tuple[Linked, ...]:
    return tuple(Linked(serial, unit) for serial, unit in units.items())
