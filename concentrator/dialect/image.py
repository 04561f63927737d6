"""The register image of a station: the newest raw content of everything that was read. Profiles decode from it, and
raw answers and mirrors are served from it, so that nothing is asked for twice."""

from __future__ import annotations

from attrs import define, field

from concentrator.model.profile import Function


@define
class RegisterImage:
    """Registers and bits by function and 0-based address, as last read: kept as they came, block by block; where blocks
    overlap, the newest last."""

    _reads: dict[tuple[Function, int, int], bytes] = field(factory=dict)
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
        self._reads[read] = data

    def register(self, function: Function, address: int) -> int | None:
        """The content of one register or bit; None when it was never read."""
        for (its_function, first, count), data in reversed(self._reads.items()):
            place = address - first
            if 0 <= place < count and its_function is function:
                if function.is_bits:
                    return data[place >> 3] >> (place & 7) & 1
                return data[2 * place] << 8 | data[2 * place + 1]
        return None
