"""The life of link mode: what follows what while meters whose button is pressed get their Modbus ID.

Theory. Polling stands aside first, and reads on when link mode is over, however it ends. In between the bus is asked
four times a second who is in link mode (`looking`, then `waiting` for the next look). One whole answer is a meter: it
is given its ID (`assigning`). Damaged answers twice in a row are several meters at once, for noise seldom strikes
twice: they are looked for one by one in their slots (`collision`), drawing new slots after each round in which two
shared one. Meters that may or may not have kept an ID are decided about when that can be known (`settling`). Link mode
ends when asked to, after the step in hand (`finishing`), or by itself after ten minutes without any meter; the meters
are told (`leaving`). A line that is lost is waited for. Whatever is undecided then, or after a power cut, is decided
beside polling (`recovering`).

    off             start ► standing_aside; recover ► recovering
    standing_aside  stood_aside ► looking; could_not ► off
    looking         nobody ► waiting; found ► assigning; several ► collision
    waiting         look ► looking; unsettled ► settling; time_is_up, stop ► leaving
    collision       found ► assigning; searched ► waiting
    assigning       over ► waiting; next_slot ► collision
    settling        over ► waiting
    (while a step is in hand, which is all but waiting)  stop ► finishing
    finishing       the step's end ► leaving; could_not ► off
    leaving         left ► off
    recovering      recovered, rest ► off; start ► standing_aside
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import frozen
from automat import TypeMachineBuilder

from concentrator.api import Candidate


class Inputs(Protocol):
    """What can happen to link mode. `start`, `stop`, `recover` and `rest` (nothing more, for good) come from outside,
    the others are how its steps end."""

    def start(self) -> None:
        """Somebody wants link mode."""

    def stop(self) -> None:
        """Somebody wants it to end."""

    def recover(self) -> None:
        """There may be something undecided."""

    def recovered(self) -> None:
        """Nothing is undecided any more."""

    def rest(self) -> None:
        """The program ends."""

    def stood_aside(self) -> None:
        """Polling is suspended."""

    def could_not(self) -> None:
        """Polling cannot be suspended now."""

    def look(self) -> None:
        """It is time to look again."""

    def nobody(self) -> None:
        """No answer, or none to go by yet."""

    def found(self, candidate: Candidate) -> None:
        """A meter answered by itself."""

    def several(self) -> None:
        """Several answer over one another."""

    def searched(self) -> None:
        """There is nobody more to be found in the slots."""

    def over(self) -> None:
        """The step is over, whatever came of it."""

    def next_slot(self) -> None:
        """The meter that was found in a slot is dealt with."""

    def unsettled(self) -> None:
        """It is time to decide about what is undecided."""

    def time_is_up(self) -> None:
        """There was no meter for too long."""

    def left(self) -> None:
        """Polling goes on."""


@frozen
class Steps:
    """What link mode does when it comes to a state; each ends with an input, but for `finish` (the step in hand is to
    be the last) and `stop_recovery`."""

    stand_aside: Callable[[], None]
    look: Callable[[], None]
    wait: Callable[[], None]
    search: Callable[[], None]
    assign: Callable[[Candidate], None]
    settle: Callable[[], None]
    finish: Callable[[], None]
    leave: Callable[[], None]
    after: Callable[[], None]
    recover: Callable[[], None]
    stop_recovery: Callable[[], None]


def _machine() -> Callable[[Steps], Inputs]:
    builder = TypeMachineBuilder(Inputs, Steps)
    off, recovering, standing_aside = map(builder.state, ("off", "recovering", "standing_aside"))
    looking, waiting, collision = map(builder.state, ("looking", "waiting", "collision"))
    assigning, settling = map(builder.state, ("assigning", "settling"))
    finishing, leaving = map(builder.state, ("finishing", "leaving"))
    busy = (standing_aside, looking, collision, assigning, settling)

    for state in (off, recovering, finishing, leaving):
        state.upon(Inputs.stop).loop().returns(None)
    for state in (recovering, *busy, waiting, finishing, leaving):
        state.upon(Inputs.recover).loop().returns(None)
    for state in (off, *busy, waiting, finishing, leaving):
        state.upon(Inputs.rest).loop().returns(None)
    recovering.upon(Inputs.recovered).to(off).returns(None)
    for state in (standing_aside, finishing):
        state.upon(Inputs.could_not).to(off).returns(None)

    @off.upon(Inputs.recover).to(recovering)
    def recover(_: Inputs, steps: Steps) -> None:
        steps.recover()

    @recovering.upon(Inputs.rest).to(off)
    def rest(_: Inputs, steps: Steps) -> None:
        steps.stop_recovery()

    @off.upon(Inputs.start).to(standing_aside)
    @recovering.upon(Inputs.start).to(standing_aside)
    def stand_aside(_: Inputs, steps: Steps) -> None:
        steps.stand_aside()

    @standing_aside.upon(Inputs.stood_aside).to(looking)
    @waiting.upon(Inputs.look).to(looking)
    def look(_: Inputs, steps: Steps) -> None:
        steps.look()

    @looking.upon(Inputs.nobody).to(waiting)
    @collision.upon(Inputs.searched).to(waiting)
    @assigning.upon(Inputs.over).to(waiting)
    @settling.upon(Inputs.over).to(waiting)
    def wait(_: Inputs, steps: Steps) -> None:
        steps.wait()

    @looking.upon(Inputs.several).to(collision)
    @assigning.upon(Inputs.next_slot).to(collision)
    def search(_: Inputs, steps: Steps) -> None:
        steps.search()

    @looking.upon(Inputs.found).to(assigning)
    @collision.upon(Inputs.found).to(assigning)
    def assign(_: Inputs, steps: Steps, candidate: Candidate) -> None:
        steps.assign(candidate)

    @waiting.upon(Inputs.unsettled).to(settling)
    def settle(_: Inputs, steps: Steps) -> None:
        steps.settle()

    for state in busy:

        @state.upon(Inputs.stop).to(finishing)
        def finish(_: Inputs, steps: Steps) -> None:
            steps.finish()

    @finishing.upon(Inputs.found).to(leaving)
    def pass_over(_: Inputs, steps: Steps, candidate: Candidate) -> None:
        steps.leave()

    @waiting.upon(Inputs.time_is_up).to(leaving)
    @waiting.upon(Inputs.stop).to(leaving)
    @finishing.upon(Inputs.stood_aside).to(leaving)
    @finishing.upon(Inputs.nobody).to(leaving)
    @finishing.upon(Inputs.several).to(leaving)
    @finishing.upon(Inputs.searched).to(leaving)
    @finishing.upon(Inputs.next_slot).to(leaving)
    @finishing.upon(Inputs.over).to(leaving)
    def leave(_: Inputs, steps: Steps) -> None:
        steps.leave()

    @leaving.upon(Inputs.left).to(off)
    def rest_undecided(inputs: Inputs, steps: Steps) -> None:
        steps.after()

    return builder.build()


link_life: Callable[[Steps], Inputs] = _machine()
"""A link mode that is off, with what it does in each state."""
