"""Whether an adapter gives a slave back what it says, and what of the bytes that come is not that. Pure.

Theory. On a two-wire bus a receiver that is never switched off hears its own transmitter. The answer to the write of
one register is its request's very copy: come back as an echo, it would be carried out again, and again. The answer to
a read is no request of anybody's. What comes after such an answer tells, each time anew, whether there is an echo; what
comes after any other answer is believed to be one unless it was found that there is none.
"""

from __future__ import annotations

_READS = (1, 2, 3, 4)


class OwnEcho:
    """What came back of what was said. `is_known`: whether there is an echo, None while that is open."""

    def __init__(self) -> None:
        self.is_known: bool | None = None
        self._awaited = b""
        self._is_telling = False
        self._held = b""

    def said(self, frame: bytes) -> None:
        """A frame goes out."""
        self._is_telling = frame[1] in _READS
        self._awaited = frame if self._is_telling or self.is_known is not False else b""
        self._held = b""

    def without(self, data: bytes) -> bytes:
        """What of the bytes that came is no echo; what may be the beginning of one is held back until that is clear."""
        awaited = self._awaited
        if not awaited:
            return data
        data = self._held + data
        if len(data) < len(awaited) and awaited.startswith(data):
            self._held = data
            return b""
        self._awaited = self._held = b""
        is_echo = data.startswith(awaited)
        if self._is_telling:
            self.is_known = is_echo
        return data[len(awaited) :] if is_echo else data
