"""The life of a station: how far it can be counted on.

Theory. A station begins `new` and is asked only who it is. The first answer makes it `answering`. One failure makes an
answering station `doubtful`: it goes on being read, because a damaged frame happens on every bus. `FAILURES` in a row
make it (or a new one that never answered) `silent`: it is probed now and then, not read. Any answer makes it
`answering` again at once. Becoming silent is told.

    new ── answered ──► answering ── failed ──► doubtful ── failed × FAILURES ──► silent
     │                      ▲ ▲                     │                               ▲ │
     │                      │ └────── answered ─────┘                               │ │
     └── failed × FAILURES ─┼───────────────────────────────────────────────────────┘ │
                            └─────────────────────── answered ────────────────────────┘
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import define
from automat import TypeMachineBuilder

FAILURES = 3
"""Failures in a row after which a station is silent."""


class Health(Protocol):
    """The inputs of a station's life."""

    def answered(self) -> None:
        """It answered, if only with a refusal."""

    def failed(self) -> None:
        """It did not answer, or not understandably."""

    def gave_up(self) -> None:
        """That was one failure too many; said by the machine to itself."""


@define
class _Life:
    """What the state does not say: its label for people, and the failures in a row."""

    on_silent: Callable[[], None]
    label: str = "new"
    failures: int = 0


def _machine() -> Callable[[_Life], Health]:
    builder = TypeMachineBuilder(Health, _Life)
    new = builder.state("new")
    answering = builder.state("answering")
    doubtful = builder.state("doubtful")
    silent = builder.state("silent")

    answering.upon(Health.answered).loop().returns(None)
    silent.upon(Health.failed).loop().returns(None)

    @new.upon(Health.answered).to(answering)
    @doubtful.upon(Health.answered).to(answering)
    @silent.upon(Health.answered).to(answering)
    def recover(_: Health, life: _Life) -> None:
        life.label, life.failures = "answering", 0

    @answering.upon(Health.failed).to(doubtful)
    def doubt(_: Health, life: _Life) -> None:
        life.label, life.failures = "doubtful", 1

    @new.upon(Health.failed).loop()
    @doubtful.upon(Health.failed).loop()
    def fail_again(machine: Health, life: _Life) -> None:
        life.failures += 1
        if life.failures >= FAILURES:
            machine.gave_up()

    @new.upon(Health.gave_up).to(silent)
    @doubtful.upon(Health.gave_up).to(silent)
    def fall_silent(_: Health, life: _Life) -> None:
        life.label = "silent"
        life.on_silent()

    return builder.build()


_build = _machine()


class StationHealth:
    """One station's life; `on_silent` is called when it falls silent."""

    def __init__(self, on_silent: Callable[[], None]) -> None:
        self._life = _Life(on_silent)
        self._machine = _build(self._life)

    @property
    def label(self) -> str:
        """new, answering, doubtful or silent."""
        return self._life.label

    def answered(self) -> None:
        """It answered, if only with a refusal."""
        if self._life.label != "answering":  # most answers change nothing
            self._machine.answered()

    def failed(self) -> None:
        """It did not answer, or not understandably."""
        self._machine.failed()
