"""The life of a modem on a port, as a machine. It hides when a modem is prepared, when its network is looked for, and
when it can send.

Theory. A port that was opened says nothing of the modem behind it: it is prepared first, command by command. Then it
may take minutes until it has a network, and it may lose it at any time. A modem that cannot be prepared (no SIM, a PIN)
is tried again after a rest. Losing the port ends all of that; it is opened again.

    closed      opened ► preparing
    preparing   prepared ► searching; failed ► resting
    resting     rested ► preparing
    searching   registered ► ready
    ready       unregistered ► searching

`lost` is `closed`, from everywhere that is open.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from automat import TypeMachineBuilder


class Life(Protocol):
    """What can happen to a modem."""

    def opened(self) -> None:
        """Its port can be talked to."""

    def prepared(self) -> None:
        """It does as we need it."""

    def failed(self) -> None:
        """It does not."""

    def rested(self) -> None:
        """It may be tried again."""

    def registered(self) -> None:
        """It has a network."""

    def unregistered(self) -> None:
        """It has none."""

    def lost(self) -> None:
        """The port is gone."""


class Steps(Protocol):
    """What a driver does at the turns of the modem's life."""

    def show(self, word: str) -> None:
        """Says how it stands, for people."""

    def prepare(self) -> None:
        """Has the modem do as we need it."""

    def rest(self) -> None:
        """Waits a while before the next try."""

    def look(self) -> None:
        """Looks for a network, and for mail, now and again."""

    def work(self) -> None:
        """It can send now."""

    def leave(self) -> None:
        """Waits for nothing any more."""


CLOSED, PREPARING, RESTING = "Closed", "Preparing", "Waiting"
SEARCHING, READY = "Searching for a network", "Ready"


def _machine() -> Callable[[Steps], Life]:
    builder = TypeMachineBuilder(Life, Steps)  # type: ignore[type-abstract]  # it only looks at its name
    closed, preparing, resting = map(builder.state, ("closed", "preparing", "resting"))
    searching, ready = map(builder.state, ("searching", "ready"))

    @closed.upon(Life.opened).to(preparing)
    @resting.upon(Life.rested).to(preparing)
    def prepare(_: Life, steps: Steps) -> None:
        steps.show(PREPARING)
        steps.prepare()

    @preparing.upon(Life.prepared).to(searching)
    def search(_: Life, steps: Steps) -> None:
        steps.show(SEARCHING)
        steps.look()

    @preparing.upon(Life.failed).to(resting)
    def rest(_: Life, steps: Steps) -> None:
        steps.show(RESTING)
        steps.rest()

    @searching.upon(Life.registered).to(ready)
    def work(_: Life, steps: Steps) -> None:
        steps.show(READY)
        steps.work()

    @ready.upon(Life.unregistered).to(searching)
    def search_again(_: Life, steps: Steps) -> None:
        steps.show(SEARCHING)

    for state in (preparing, resting, searching, ready):

        @state.upon(Life.lost).to(closed)
        def leave(_: Life, steps: Steps) -> None:
            steps.show(CLOSED)
            steps.leave()

    closed.upon(Life.lost).loop().returns(None)
    searching.upon(Life.unregistered).loop().returns(None)
    ready.upon(Life.registered).loop().returns(None)
    return builder.build()


life_of = _machine()
"""`life_of(steps)`: the life of a modem whose driver takes those steps."""
