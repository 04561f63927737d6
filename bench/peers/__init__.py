"""The peers: what a user would pick today, in its default behaviour where nothing else is said. Each is a program of
its own; those on a serial line share how they are told what to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple


class Orders(NamedTuple):
    """What a master on a serial line is to read: `reads` (address, count) of each of the slaves from 1 on. With a
    `timeout_s` it waits that long for an answer, asks once, and passes errors over."""

    port: str
    slaves: int
    reads: Sequence[tuple[int, int]]
    timeout_s: float | None = None

    @classmethod
    def given(cls, words: Sequence[str]) -> Orders:
        """The orders on a command line: PORT SLAVES ADDRESS:COUNT,… [TIMEOUT_S], after the program's name."""
        pairs = (part.partition(":") for part in words[3].split(","))
        timeout_s = float(words[4]) if len(words) > 4 else None
        return cls(words[1], int(words[2]), [(int(address), int(count)) for address, _, count in pairs], timeout_s)

    def words(self) -> list[str]:
        """The orders as the words of a command line."""
        reads = ",".join(f"{address}:{count}" for address, count in self.reads)
        return [self.port, str(self.slaves), reads, *([] if self.timeout_s is None else [str(self.timeout_s)])]

    @property
    def is_forgiving(self) -> bool:
        """Whether errors are passed over."""
        return self.timeout_s is not None

    def patience(self) -> dict[str, Any]:
        """The arguments that make a client of pymodbus as patient as that."""
        return {} if self.timeout_s is None else {"timeout": self.timeout_s, "retries": 0}

    def round(self) -> Iterator[tuple[int, int, int]]:
        """One round: slave, address and count of each read."""
        return ((slave, *read) for slave in range(1, self.slaves + 1) for read in self.reads)
