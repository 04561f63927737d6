"""How long a master takes to come back to the same reads: from what was on the bus, and from nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from concentrator.sim.exchange import Exchange, Status


def moments(exchanges: Iterable[Exchange], address: int) -> dict[int, list[float]]:
    """When each slave's register at `address` was read well, by slave; the moment is the end of the reply."""
    found: dict[int, list[float]] = {}
    for each in exchanges:
        is_in = each.address <= address < each.address + each.count
        if each.status is Status.OK and is_in and each.reply_ended is not None:
            found.setdefault(each.unit, []).append(each.reply_ended)
    return found


def periods(exchanges: Iterable[Exchange], address: int, slaves: Iterable[int]) -> Iterator[tuple[float, float]]:
    """When a slave's register at `address` was read, and how many seconds after its last time, for all these slaves."""
    read = moments(exchanges, address)
    for slave in slaves:
        yield from ((after, after - before) for before, after in pairwise(read.get(slave, ())))


def longest_s(
    exchanges: Sequence[Exchange], address: int, slaves: Iterable[int], opened: float, closed: float
) -> float:
    """The longest any of these slaves had to wait for its register to be read, between two moments; one that was not
    read at all waited all the time."""
    read = moments(exchanges, address)
    waits = [
        after - before
        for slave in slaves
        for before, after in pairwise([opened, *(at for at in read.get(slave, ()) if opened < at < closed), closed])
    ]
    return max(waits)
