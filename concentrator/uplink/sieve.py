"""Keeps what is too long out of an MQTT client's reach: bytes from the broker go through it, and a publication that is
longer than we care to hold is dropped while it arrives, whatever length it claims. Pure; hides MQTT's framing."""

from __future__ import annotations

_PUBLISH = 0x30  # MQTT 3.1.1, 2.2.1: the type is the upper half of the first byte
_PUBACK = b"\x40\x02"
_LENGTH_BYTES = 4  # MQTT 3.1.1, 2.2.3


class Sieve:
    """Passes packets on, but publications whose length field says more than `longest` bytes. `refused` counts those;
    `acknowledgements` are the bytes to answer them with, for whoever writes to take and clear: a broker must not keep
    on its list what we will never take."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._head = bytearray()
        self._passing = 0
        self._dropping = 0
        self._dropped_head = bytearray()
        self._is_broken = False
        self.refused = 0
        self.acknowledgements = b""

    def passed(self, data: bytes) -> bytes:
        """What of these bytes, and of a header that was held back, may go on."""
        out, at = bytearray(), 0
        while at < len(data):
            if self._is_broken:
                return bytes(out + data[at:])
            if self._passing:
                piece = data[at : at + self._passing]
                out += piece
                self._passing -= len(piece)
                at += len(piece)
            elif self._dropping:
                piece = data[at : at + self._dropping]
                self._drop(piece)
                at += len(piece)
            else:
                self._head.append(data[at])
                at += 1
                self._begin(out)
        return bytes(out)

    def _begin(self, out: bytearray) -> None:
        """Looks at the header, once it is whole: a type, and seven bits a byte, the low ones first."""
        *_, last = head = self._head
        if len(head) == 1 or (last & 128 and len(head) <= _LENGTH_BYTES):
            return
        length = sum((byte & 127) << 7 * place for place, byte in enumerate(head[1:]))
        if last & 128:
            self._is_broken = True  # whoever reads it says so
        elif head[0] & 0xF0 == _PUBLISH and length > self._longest:
            self.refused += 1
            self._dropping, self._dropped_head = length, bytearray(head[:1])
            head.clear()
            return
        self._passing = length
        out += head
        head.clear()

    def _drop(self, piece: bytes) -> None:
        """Drops a piece of a publication; its number, which follows its topic, is needed to answer it."""
        self._dropping -= len(piece)
        start = self._dropped_head
        if not start:
            return
        start += piece[: 1 + 2 + 0xFFFF + 2 - len(start)]
        topic = int.from_bytes(start[1:3], "big")
        if len(start) >= 1 + 2 + topic + 2:
            if start[0] & 0x06 == 0x02:  # quality of service 1
                self.acknowledgements += _PUBACK + start[3 + topic : 5 + topic]
            start.clear()
