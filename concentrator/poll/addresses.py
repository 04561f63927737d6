"""The ID journal of one bus: which meter has which Modbus ID, and which it is being given. Pure: every change is first
handed to `keep`, which makes it durable, and only then counts; what cannot be kept raises and changes nothing.

Theory. An entry is a serial with its ID and how sure that is: PENDING before anything is said on the wire, DONE when
the meter was found at its ID for good, FAILED when it was not. An ID belongs to the serial of the one entry that is
DONE or PENDING there, and no other serial can reserve it: that is what keeps an ID from being given twice, whatever is
cut off in between. A meter that had an ID already and is being given another keeps the first until the second is DONE
(`former`), because that is where it is again if it fails. A FAILED entry holds nothing; it only remembers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from attrs import define, field, frozen

from concentrator.model.errors import Busy

FIRST, LAST = 2, 246
"""The IDs that are given: 1 is every meter's from the factory, 247 is kept for link mode."""

Keep = Callable[[Mapping[str, Mapping[str, Any]]], None]
Taken = Mapping[int, str]
"""The IDs of the bus's configured devices, with their serial; empty where it is not known yet."""


class State(StrEnum):
    """How sure an ID is."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


@frozen
class Entry:
    """A meter's ID. `nonce`: by which the meter was told from others; `former`: the ID that was DONE before."""

    unit: int
    state: State
    nonce: int = 0
    former: int | None = None

    def held(self) -> set[int]:
        """The IDs nobody else can have."""
        if self.state is State.FAILED:
            return set()
        return {self.unit} if self.former is None else {self.unit, self.former}


def _kept(entry: Entry) -> dict[str, Any]:
    kept: dict[str, Any] = {"unit": entry.unit, "state": entry.state.value, "nonce": entry.nonce}
    return kept if entry.former is None else {**kept, "former": entry.former}


def _entry(serial: str, kept: Mapping[str, Any]) -> Entry:
    try:
        entry = Entry(kept["unit"], State(kept["state"]), kept.get("nonce", 0), kept.get("former"))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{serial}: {error!r}") from None
    units = (entry.unit, entry.unit if entry.former is None else entry.former)
    if not all(type(unit) is int and 1 <= unit <= LAST for unit in units) or type(entry.nonce) is not int:
        raise ValueError(f"{serial}: found {dict(kept)}, expected whole numbers, IDs from 1 to {LAST}")
    return entry


@define(eq=False)
class Addresses:
    """The journal. `keep` is given the whole of it (as `as_json` gives it) before a change counts."""

    keep: Keep
    _entries: dict[str, Entry] = field(factory=dict)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any], keep: Keep) -> Addresses:
        """What `as_json` gave. Raises ValueError where it cannot be that."""
        entries = {serial: _entry(serial, entry) for serial, entry in kept.items()}
        owners: dict[int, str] = {}
        for serial, entry in entries.items():
            for unit in entry.held():
                if owners.setdefault(unit, serial) != serial:
                    raise ValueError(f"ID {unit} belongs to {owners[unit]} and to {serial}")
        return cls(keep, entries)

    def as_json(self) -> dict[str, dict[str, Any]]:
        """The whole journal, JSON-able: serial → its entry."""
        return {serial: _kept(entry) for serial, entry in self._entries.items()}

    def entries(self) -> Mapping[str, Entry]:
        """The entries by serial."""
        return dict(self._entries)

    def done(self) -> Mapping[str, int]:
        """The meters that have their ID, by serial."""
        return {serial: entry.unit for serial, entry in self._entries.items() if entry.state is State.DONE}

    def recover(self) -> Mapping[str, Entry]:
        """The meters that were being given an ID when something came between: whether they are there now decides
        between `settled` and `failed`."""
        return {serial: entry for serial, entry in self._entries.items() if entry.state is State.PENDING}

    def owner(self, unit: int) -> str:
        """The serial an ID belongs to; empty where it belongs to none."""
        return next((serial for serial, entry in self._entries.items() if unit in entry.held()), "")

    def choices(self, serial: str, taken: Taken) -> Iterator[int]:
        """The IDs a meter may be given, best first: the one it had, then the free ones upwards. None of them belongs
        to another meter, neither here nor in the configuration (`taken`). ID 1 is only for whom it belongs to."""
        entry = self._entries.get(serial)
        had = [] if entry is None or entry.state is State.FAILED else [entry.unit]
        had += [entry.former] if entry is not None and entry.former is not None else []
        had += [unit for unit, its in taken.items() if its == serial]
        for unit in dict.fromkeys(had):
            if self._is_open_to(serial, unit) and taken.get(unit, serial) == serial:
                yield unit
        for unit in range(FIRST, LAST + 1):
            if unit not in had and unit not in taken and self._is_open_to(serial, unit):
                yield unit

    def is_full(self, serial: str, taken: Taken, limit: int) -> bool:
        """Whether a meter is one more than there may be besides the one at ID 1; a known one never is."""
        used = {unit for entry in self._entries.values() for unit in entry.held()} | taken.keys()
        entry = self._entries.get(serial)
        is_known = serial in taken.values() or (entry is not None and entry.state is not State.FAILED)
        return not is_known and len(used - {1}) >= limit

    def reserve(self, serial: str, unit: int, nonce: int) -> None:
        """A meter is about to be given an ID. Raises Busy when the ID belongs to another."""
        if not self._is_open_to(serial, unit):
            raise Busy(f"ID {unit} belongs to {self.owner(unit)}")
        entry = self._entries.get(serial)
        former = None
        if entry is not None and entry.state is State.DONE:
            former = entry.unit
        elif entry is not None and entry.state is State.PENDING:
            former = entry.former
        self._change(serial, Entry(unit, State.PENDING, nonce, former))

    def settled(self, serial: str) -> None:
        """The meter was found at the ID it was being given; an ID it had before is free."""
        entry = self._entries[serial]
        self._change(serial, Entry(entry.unit, State.DONE, entry.nonce))

    def failed(self, serial: str) -> None:
        """The meter is not at the ID it was being given, which is free again; it has what it had before, if so."""
        entry = self._entries[serial]
        had = entry.former
        state = State.FAILED if had is None else State.DONE
        self._change(serial, Entry(entry.unit if had is None else had, state, entry.nonce))

    def release(self, serial: str) -> None:
        """The meter is gone for good: its ID is free; nothing happens where it has none."""
        if serial in self._entries:
            self._change(serial, None)

    def _is_open_to(self, serial: str, unit: int) -> bool:
        return self.owner(unit) in ("", serial)

    def _change(self, serial: str, entry: Entry | None) -> None:
        changed = {other: its for other, its in self._entries.items() if other != serial}
        if entry is not None:
            changed[serial] = entry
        self.keep({other: _kept(its) for other, its in changed.items()})
        self._entries = changed
