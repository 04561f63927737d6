"""The register image of a station: the newest raw content of everything that was read. Profiles decode from it, and
raw answers and mirrors are served from it, so that nothing is asked for twice."""

from __future__ import annotations

from attrs import define, field

from concentrator.model.profile import Function


@define
class RegisterImage:
    """Registers and bits by function and 0-based address, as last read."""

    _content: dict[Function, dict[int, int]] = field(factory=dict)

    def store(self, function: Function, address: int, count: int, data: bytes) -> None:
        """Keeps a read's bytes: registers high byte first, bits packed low bit first."""
        content = self._content.setdefault(function, {})
        if function.is_bits:
            content.update((address + n, data[n >> 3] >> (n & 7) & 1) for n in range(count))
        else:
            content.update((address + n, data[2 * n] << 8 | data[2 * n + 1]) for n in range(count))

    def register(self, function: Function, address: int) -> int | None:
        """The content of one register or bit; None when it was never read."""
        return self._content.get(function, {}).get(address)
