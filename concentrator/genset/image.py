"""What a genset controller answered last to each of the server's commands, and what of it the server does not know yet.
It hides how changes are found, joined to runs and cut into messages.
"""

from __future__ import annotations

from collections.abc import Iterator

from concentrator.wire.smartgen import Run
from concentrator.wire.smartgen_fields import Frame

PATIENT_ROUNDS = 3
"""How often in a row an answer may be missing before the last one is not uploaded any more."""
_NEAR = 4
"""Changes with fewer unchanged values than that between them travel as one run."""
_ROOM = 480
"""Bytes of values of one message: with their addresses it stays below one segment of 1,400 bytes."""


class Image:
    """The answers to these commands, by command; an answer is the reply's PDU. One that was not renewed for too many
    rounds is no answer any more."""

    def __init__(self, commands: tuple[Frame, ...]) -> None:
        self._missed: dict[Frame, int] = {}
        self._replies: dict[Frame, bytes] = {}
        self._known: dict[Frame, bytes] = {}
        self._commands = commands

    def take(self, command: Frame, reply: bytes) -> None:
        """The controller answered."""
        self._replies[command] = reply
        self._missed.pop(command, None)

    def miss(self, command: Frame) -> None:
        """The controller did not answer, or refused."""
        missed = self._missed[command] = self._missed.get(command, 0) + 1
        if missed > PATIENT_ROUNDS:
            self._replies.pop(command, None)

    @property
    def frames(self) -> tuple[bytes, ...]:
        """The answers as whole frames in the order of the commands, each from the slave that the command named."""
        return tuple(bytes(Frame(each.unit, self._replies[each])) for each in self._commands if each in self._replies)

    def forget(self) -> None:
        """The server knows nothing: everything is new to it."""
        self._known.clear()

    def changes(self) -> tuple[Run, ...]:
        """What the server does not know yet; from now on it does."""
        runs = tuple(run for command in self._commands for run in self._changes_of(command))
        self._known.update(self._replies)
        return runs

    def _changes_of(self, command: Frame) -> Iterator[Run]:
        content = self._replies.get(command, b"")[2:]
        known = self._known.get(command, b"")[2:]
        size, step = (1, 8) if command.function in (1, 2) else (2, 1)
        places = range(0, len(content), size)
        changed = [at // size for at in places if content[at : at + size] != known[at : at + size]]
        for first, last in _joined(changed):
            yield Run(command.function, command.address + first * step, content[first * size : (last + 1) * size])


def _joined(places: list[int]) -> Iterator[tuple[int, int]]:
    """First and last place of each run of changes."""
    first = last = None
    for place in places:
        if first is not None and last is not None and place - last > _NEAR:
            yield first, last
            first = None
        first, last = place if first is None else first, place
    if first is not None and last is not None:
        yield first, last


def messages_of(runs: tuple[Run, ...]) -> Iterator[tuple[Run, ...]]:
    """The runs, as many together as fit into one segment."""
    together: list[Run] = []
    room = _ROOM
    for run in runs:
        needed = len(run.content) + 8
        if together and needed > room:
            yield tuple(together)
            together, room = [], _ROOM
        together.append(run)
        room -= needed
    if together:
        yield tuple(together)
