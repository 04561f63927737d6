"""A slave without meaning: every register holds its own address below its slave's. For measuring masters, which need
answers that cost the simulator little and that anybody can check."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from concentrator.sim.slave import ILLEGAL_ADDRESS, Refusal, answer_at


@frozen
class PatternSlave:
    """Registers 0 to `size` - 1 of the slave at `unit`; nothing can be written."""

    unit: int
    size: int

    def reply(self, frame: bytes, at: float) -> bytes | None:
        """Its reply where a request is for it."""
        return answer_at(self.unit, self, frame, at)

    def read(self, address: int, count: int, at: float) -> Sequence[int]:
        """`unit` in the high byte of each register, the low byte of its address in the low one."""
        if address + count > self.size:
            raise Refusal(ILLEGAL_ADDRESS)
        high = self.unit << 8
        return [high | (n & 0xFF) for n in range(address, address + count)]

    def write(self, address: int, values: Sequence[int], at: float) -> None:
        """Refused."""
        raise Refusal(ILLEGAL_ADDRESS)
