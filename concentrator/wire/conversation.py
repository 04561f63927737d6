"""Conversations: how a protocol talks without touching a wire.

A conversation is a generator. It yields a `Transaction`, is sent the reply, and returns its result; a transaction that
failed is thrown into it. It starts when it gets the wire, not when it is queued. The line runs it and knows nothing
of the protocol; the protocol knows nothing of time. This hides from protocols how bytes travel, and from lines what
they mean.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable
from typing import Any, TypeVar

from attrs import frozen

from concentrator.model.errors import Garbled, NoReply, Unexpected

T = TypeVar("T")


@frozen
class Need:
    """The reply cannot be complete before the buffer holds `length` bytes in all."""

    length: int


Expect = Callable[[bytes, bool], Any]
"""`expect(buffer, ended)`: given everything received since the request, gives `Need(n)`, or the reply, or raises a
WireError. `ended` says that nothing more will come; `Need` is then no answer it may give."""


@frozen
class LineSettings:
    """How characters travel: bits per second and the bits of one character, start and stop bits included."""

    baudrate: int
    bits: int = 10

    @property
    def character_s(self) -> float:
        """Seconds one character takes on the wire."""
        return self.bits / self.baudrate


@frozen
class Transaction:
    """One request and how to know its reply.

    `request`: the bytes to send, empty to listen only; `expect`: see `Expect`, None when no answer comes (a
    broadcast); `wait_s`: how long the first byte of the answer may take after the request's last byte;
    `quiet_s`: how long the station wants to be left alone afterwards, on top of the line's own silence, and after a
    broadcast everybody; `shape`: equal for requests whose replies could be taken for one another; `is_patient`:
    `wait_s` counts in full, however fast the station was before.
    """

    request: bytes
    expect: Expect | None
    wait_s: float
    quiet_s: float = 0.0
    shape: Hashable = None
    is_patient: bool = False


Conversation = Generator[Transaction, Any, T]


def retrying(transaction: Transaction, attempts: int) -> Conversation[Any]:
    """Up to `attempts` tries of one transaction; damaged, foreign and missing answers are tried again, a refusal is
    an answer. Raises what the last try raised."""
    for left in reversed(range(attempts)):
        try:
            return (yield transaction)
        except (Garbled, Unexpected, NoReply):
            if not left:
                raise
    raise ValueError(f"attempts: found {attempts}, expected at least 1")
