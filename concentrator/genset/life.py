"""The life of a genset's cloud session, as a machine. It hides registering, the long connection, and coming back.

Theory. The modem registers on a short connection, which tells where the long one goes and what to read. Then it calls
there, and once it is welcomed it is online. A long connection that fails or falls is tried again where it was, after a
pause that grows; after some failures in a row the modem registers anew, for the server may have moved. A server that
refuses to register it is asked again much later. A server may order that at any time (reset).

    stopped      begin ► registering
    registering  registered ► calling; failed, refused ► resting
    resting      rested, lost_faith ► registering
    calling      welcomed ► online; failed ► pausing
    online       failed ► pausing; told_to_reset, changed ► registering
    pausing      rested ► calling; lost_faith ► registering

`end` is `stopped`, from everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from automat import TypeMachineBuilder

from concentrator.wire.smartgen_server import LoginAnswer


class Life(Protocol):
    """What can happen to a session."""

    def begin(self) -> None:
        """Register, and stay online."""

    def registered(self, answer: LoginAnswer) -> None:
        """The server knows the modem, and said how to go on."""

    def refused(self, why: str) -> None:
        """The server does not want the modem."""

    def failed(self, why: str) -> None:
        """The server was not reached, did not answer, or is gone."""

    def welcomed(self) -> None:
        """The long connection stands."""

    def told_to_reset(self) -> None:
        """The server wants the modem to register again."""

    def changed(self) -> None:
        """What the modem says of itself is another; it is said at the next login, and the server is told at once."""

    def rested(self) -> None:
        """The pause is over."""

    def lost_faith(self) -> None:
        """The pause is over, and the long connection failed too often in a row."""

    def end(self) -> None:
        """Leave, and stay away."""


class Steps(Protocol):
    """What a session does at the turns of its life."""

    def register(self) -> None:
        """Calls the server, and logs in."""

    def accept(self, answer: LoginAnswer) -> None:
        """Takes the server's terms."""

    def call(self) -> None:
        """Calls where the long connection goes."""

    def work(self) -> None:
        """Begins to upload."""

    def rest(self, why: str, is_refused: bool) -> None:
        """Leaves the connection, and waits."""

    def take_leave(self) -> None:
        """Confirms a reset, and closes."""

    def anew(self) -> None:
        """Closes, and logs in."""

    def stop(self) -> None:
        """Leaves for good."""


def _machine() -> Callable[[Steps], Life]:
    builder = TypeMachineBuilder(Life, Steps)  # type: ignore[type-abstract]  # it only looks at its name
    stopped, registering, resting = map(builder.state, ("stopped", "registering", "resting"))
    calling, online, pausing = map(builder.state, ("calling", "online", "pausing"))

    @stopped.upon(Life.begin).to(registering)
    @resting.upon(Life.rested).to(registering)
    @resting.upon(Life.lost_faith).to(registering)
    @pausing.upon(Life.lost_faith).to(registering)
    def register(_: Life, steps: Steps) -> None:
        steps.register()

    @registering.upon(Life.registered).to(calling)
    def accept(_: Life, steps: Steps, answer: LoginAnswer) -> None:
        steps.accept(answer)
        steps.call()

    @pausing.upon(Life.rested).to(calling)
    def call(_: Life, steps: Steps) -> None:
        steps.call()

    @calling.upon(Life.welcomed).to(online)
    def work(_: Life, steps: Steps) -> None:
        steps.work()

    @online.upon(Life.told_to_reset).to(registering)
    def register_again(_: Life, steps: Steps) -> None:
        steps.take_leave()
        steps.register()

    @online.upon(Life.changed).to(registering)
    def log_in_anew(_: Life, steps: Steps) -> None:
        steps.anew()

    @registering.upon(Life.refused).to(resting)
    def wait_long(_: Life, steps: Steps, why: str) -> None:
        steps.rest(why, True)

    @registering.upon(Life.failed).to(resting)
    @calling.upon(Life.failed).to(pausing)
    @online.upon(Life.failed).to(pausing)
    def wait(_: Life, steps: Steps, why: str) -> None:
        steps.rest(why, False)

    for state in (registering, resting, calling, online, pausing):

        @state.upon(Life.end).to(stopped)
        def stop(_: Life, steps: Steps) -> None:
            steps.stop()

    stopped.upon(Life.end).loop().returns(None)
    for state in (stopped, registering, resting, calling, pausing):
        state.upon(Life.changed).loop().returns(None)
    return builder.build()


life_of = _machine()
"""`life_of(steps)`: the life of a session that takes those steps."""
