"""A batch on its way through a window: which records are unsent, in flight, taken, refused. Pure bookkeeping; the
caller sends."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from concentrator.model.record import Receipt, Record


class Window:
    """The records of one batch; at most `width` of them in flight, each under the number its sender gave it."""

    def __init__(self, records: Sequence[Record], width: int) -> None:
        self._width = width
        self._unsent = deque(records)
        self._flying: dict[int, int] = {}
        self._accepted: set[int] = set()
        self._rejected: dict[int, str] = {}

    def next(self) -> Record | None:
        """The record to send now, or None when there is none or no room."""
        return self._unsent.popleft() if self._unsent and len(self._flying) < self._width else None

    def sent(self, record: Record, mid: int) -> None:
        """The record flies under this number."""
        self._flying[mid] = record.n

    def landed(self, mid: int) -> int | None:
        """Takes the number out of the air; gives its record's, or None when it is none of ours."""
        return self._flying.pop(mid, None)

    def accept(self, n: int) -> None:
        """The far side has it."""
        self._accepted.add(n)

    def reject(self, n: int, reason: str) -> None:
        """The far side will never take it."""
        self._rejected[n] = reason

    def stop_sending(self) -> None:
        """What is unsent stays so."""
        self._unsent.clear()

    @property
    def is_done(self) -> bool:
        """Whether nothing is unsent or in flight."""
        return not self._unsent and not self._flying

    @property
    def flying(self) -> int:
        """How many records are in flight."""
        return len(self._flying)

    @property
    def wants_more(self) -> bool:
        """Whether no more than half of what may be is in flight, and the rest waits; or it is done."""
        return 2 * len(self._flying) <= self._width and (bool(self._unsent) or not self._flying)

    @property
    def in_flight(self) -> frozenset[int]:
        """The numbers of the records in flight."""
        return frozenset(self._flying.values())

    @property
    def receipt(self) -> Receipt:
        """What has become of the batch so far."""
        return Receipt(frozenset(self._accepted), dict(self._rejected))
