"""The register image of a station: the newest raw content of everything that was read, and how old it is. Profiles
decode from it, and raw answers and mirrors are served from it, so that nothing is asked for twice."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from concentrator.model.profile import Function


def _never() -> float:
    return 0.0


@define
class RegisterImage:
    """Registers and bits by function and 0-based address, as last read: kept as they came, block by block; where blocks
    overlap, the newest last. `seconds` is the clock that says when a block came."""

    seconds: Callable[[], float] = _never
    _reads: dict[tuple[Function, int, int], tuple[bytes, float]] = field(factory=dict, init=False)
    _is_overlapping: bool = field(default=False, init=False)

    def store(self, function: Function, address: int, count: int, data: bytes) -> None:
        """Keeps a read's bytes: registers high byte first, bits packed low bit first."""
        read = (function, address, count)
        if read not in self._reads:
            self._is_overlapping |= any(
                its_function is function and first < address + count and address < first + its_count
                for its_function, first, its_count in self._reads
            )
        elif self._is_overlapping:
            del self._reads[read]
        self._reads[read] = data, self.seconds()

    def register(self, function: Function, address: int) -> int | None:
        """The content of one register or bit; None when it was never read."""
        found = self._newest(function, address)
        return None if found is None else found[0]

    def content(
        self, function: Function, address: int, count: int, *, is_alone: bool = False
    ) -> tuple[bytes, float] | None:
        """So many registers or bits as they travel, and the clock's seconds at which the oldest of them came; None
        where one of them was never read. `is_alone`: only where exactly these were read at once, for a device whose
        addresses are objects, one a read, that have nothing to do with their neighbours."""
        kept = None if self._is_overlapping and not is_alone else self._reads.get((function, address, count))
        if kept is not None or is_alone:
            return kept
        if not self._is_overlapping and not function.is_bits:
            return self._together(function, address, address + count)
        values, oldest = [], float("inf")
        for each in range(address, address + count):
            found = self._newest(function, each)
            if found is None:
                return None
            values.append(found[0])
            oldest = min(oldest, found[1])
        if not function.is_bits:
            return b"".join(value.to_bytes(2) for value in values), oldest
        packed = sum(value << place for place, value in enumerate(values))
        return packed.to_bytes((count + 7) // 8, "little"), oldest

    def _together(self, function: Function, address: int, end: int) -> tuple[bytes, float] | None:
        """The same of registers, read by read."""
        found, oldest = b"", float("inf")
        while address < end:
            for (its_function, first, count), (data, at) in self._reads.items():
                if its_function is function and first <= address < first + count:
                    found += data[2 * (address - first) : 2 * (end - first)]
                    address, oldest = first + count, min(oldest, at)
                    break
            else:
                return None
        return found, oldest

    def _newest(self, function: Function, address: int) -> tuple[int, float] | None:
        """A register or bit, and when it came."""
        for (its_function, first, count), (data, at) in reversed(self._reads.items()):
            place = address - first
            if 0 <= place < count and its_function is function:
                if function.is_bits:
                    return data[place >> 3] >> (place & 7) & 1, at
                return data[2 * place] << 8 | data[2 * place + 1], at
        return None
