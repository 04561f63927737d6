"""The life of a gateway between two clients, as a machine. It hides when the wire is asked for, lent and given back.

Theory. The wire belongs to the box's own reading until a client comes. It is asked for at once, and had when the
exchange in progress is over. While the client has it, nobody else speaks. When the client has gone, the wire is kept a
little longer (lingering), for head-ends come again, and their last question may still be answered.

    waiting     client_came → asking
    asking      lent → connected; client_left, line_lost → waiting
    connected   fell_silent → aside; client_ended → draining; client_left → lingering; line_lost → waiting
    aside       client_spoke → asking; client_left, client_ended → waiting
    draining    all_said, client_left → lingering; line_lost → waiting
    lingering   client_came → asking, with the wire; rested, line_lost → waiting

Where the wire is shared by time, a client that was silent for a while stands `aside`: it stays connected, and the wire
is given back until it speaks again. A client that says no more, but may still listen, is `draining`: what it said goes
out, what is answered comes back. Losing the wire ends the connection: a tunnel without a far end is none. `end` is
`closed`, from everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from automat import TypeMachineBuilder

from concentrator.line.lease import Lease
from concentrator.mbusgate.client import Client


class Life(Protocol):
    """What can happen to a gateway."""

    def client_came(self, client: Client) -> None:
        """Somebody may have the wire; said only where nobody has it."""

    def lent(self, lease: Lease) -> None:
        """The wire is there."""

    def line_lost(self) -> None:
        """There is no wire, or not any more."""

    def client_spoke(self) -> None:
        """The client said something, and has not got the wire."""

    def fell_silent(self) -> None:
        """Neither side has said anything for so long that others may speak."""

    def client_ended(self) -> None:
        """The client says no more."""

    def all_said(self) -> None:
        """What a client said that says no more has gone out, and was answered."""

    def client_left(self) -> None:
        """The client has gone, or is thrown out."""

    def rested(self) -> None:
        """The wire was kept long enough."""

    def end(self) -> None:
        """Nobody may come any more."""


class Steps(Protocol):
    """What a gateway does at the turns of its life."""

    def show(self, standing: str) -> None:
        """Says how it stands, for people."""

    def greet(self, client: Client) -> None:
        """This is the client now; own reading is to stand aside."""

    def ask(self) -> None:
        """Asks for the wire."""

    def begin(self, lease: Lease) -> None:
        """Joins the client to the wire."""

    def stand_aside(self) -> None:
        """Gives the wire back; the client stays."""

    def drain(self) -> None:
        """Waits until all is said."""

    def dismiss(self) -> None:
        """Lets the client go."""

    def linger(self) -> None:
        """Waits a little with the wire."""

    def give_back(self) -> None:
        """Gives the wire back, or asks for it no more; own reading goes on."""


WAITING, ASKING, CONNECTED = "Waiting", "Asking for the line", "Connected"
ASIDE, DRAINING, LINGERING, CLOSED = "Connected, silent", "Disconnecting", "Waiting, line still held", "Closed"


def _machine() -> Callable[[Steps], Life]:
    builder = TypeMachineBuilder(Life, Steps)  # type: ignore[type-abstract]  # it only looks at its name
    waiting = builder.state("waiting")
    asking = builder.state("asking")
    connected = builder.state("connected")
    aside = builder.state("aside")
    draining = builder.state("draining")
    lingering = builder.state("lingering")
    closed = builder.state("closed")

    @waiting.upon(Life.client_came).to(asking)
    def welcome(_: Life, steps: Steps, client: Client) -> None:
        steps.show(ASKING)
        steps.greet(client)
        steps.ask()

    @asking.upon(Life.lent).to(connected)
    def join(_: Life, steps: Steps, lease: Lease) -> None:
        steps.show(CONNECTED)
        steps.begin(lease)

    @lingering.upon(Life.client_came).to(asking)
    def welcome_at_once(_: Life, steps: Steps, client: Client) -> None:
        steps.greet(client)
        steps.ask()

    @connected.upon(Life.fell_silent).to(aside)
    def stand_aside(_: Life, steps: Steps) -> None:
        steps.show(ASIDE)
        steps.stand_aside()

    @aside.upon(Life.client_spoke).to(asking)
    def ask_again(_: Life, steps: Steps) -> None:
        steps.show(ASKING)
        steps.ask()

    @connected.upon(Life.client_ended).to(draining)
    def drain(_: Life, steps: Steps) -> None:
        steps.show(DRAINING)
        steps.drain()

    @connected.upon(Life.client_left).to(lingering)
    @draining.upon(Life.client_left).to(lingering)
    @draining.upon(Life.all_said).to(lingering)
    def linger(_: Life, steps: Steps) -> None:
        steps.show(LINGERING)
        steps.dismiss()
        steps.linger()

    @asking.upon(Life.client_left).to(waiting)
    @aside.upon(Life.client_left).to(waiting)
    @aside.upon(Life.client_ended).to(waiting)
    @asking.upon(Life.line_lost).to(waiting)
    @connected.upon(Life.line_lost).to(waiting)
    @draining.upon(Life.line_lost).to(waiting)
    @lingering.upon(Life.line_lost).to(waiting)
    @lingering.upon(Life.rested).to(waiting)
    def let_go(_: Life, steps: Steps) -> None:
        steps.show(WAITING)
        steps.dismiss()
        steps.give_back()

    for state in (waiting, asking, connected, aside, draining, lingering):

        @state.upon(Life.end).to(closed)
        def close(_: Life, steps: Steps) -> None:
            steps.show(CLOSED)
            steps.dismiss()
            steps.give_back()

    closed.upon(Life.end).loop().returns(None)
    for state in (asking, connected, draining):
        state.upon(Life.client_spoke).loop().returns(None)
    # It is seen again as soon as there is a wire.
    asking.upon(Life.client_ended).loop().returns(None)
    return builder.build()


life_of = _machine()
"""`life_of(steps)`: the life of a gateway that takes those steps."""
