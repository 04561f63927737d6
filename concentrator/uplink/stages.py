"""A trial of a way out as people follow it: stages that pass one after another, until one fails. Hides how long each
took, and that nothing is heard of a trial that is over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from attrs import define, field

WAITING, RUNNING, PASSED, FAILED = "waiting", "running", "passed", "failed"

LONGEST_S = 15.0
"""How long a trial may take in all."""


class Tell(Protocol):
    """Who hears how far a trial is."""

    def __call__(self, done: float, text: str, so_far: object = None) -> None:
        """`done`: 0 … 1; `text`: the stage it is at; `so_far`: all of it, as `Stages.as_json` gives it."""


@define
class _Stage:
    name: str
    state: str = WAITING
    ms: float | None = None


@define(eq=False)
class Stages:
    """The stages of one trial, of these names in this order; the first one begins now. `now` gives seconds.

    `reason` is the short name of what failed, empty where there is none for it, `said` the words in which it was met,
    and `facts` what belongs to either, or to the success.
    """

    names: Sequence[str]
    _now: Callable[[], float]
    _tell: Tell
    reason: str = ""
    said: str = ""
    facts: dict[str, object] = field(factory=dict)
    _stages: list[_Stage] = field(init=False)
    _began: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._stages = [_Stage(name) for name in self.names]
        self._begin()

    @property
    def at(self) -> str:
        """The stage that runs; empty when all is over."""
        return next((stage.name for stage in self._stages if stage.state == RUNNING), "")

    def passed(self, name: str) -> None:
        """The stage of that name is done, if it runs; the next one begins."""
        if self.at == name:
            self._end(PASSED)
            self._begin()

    def failed(self, reason: str, said: str = "", **facts: object) -> None:
        """The stage that runs failed, and the trial with it."""
        if self.at:
            self.reason, self.said = reason, said
            self.facts |= facts
            self._end(FAILED)
            self._told()

    def as_json(self) -> dict[str, object]:
        """The trial as every caller outside is told of it; `passed` is null while it goes on."""
        is_over = not self.at
        return {
            "passed": all(stage.state == PASSED for stage in self._stages) if is_over else None,
            "stages": [{"name": each.name, "state": each.state, "ms": each.ms} for each in self._stages],
            "reason": self.reason,
            "said": self.said,
            "facts": dict(self.facts),
        }

    def _begin(self) -> None:
        self._began = self._now()
        following = next((stage for stage in self._stages if stage.state == WAITING), None)
        if following is not None:
            following.state = RUNNING
        self._told()

    def _end(self, state: str) -> None:
        stage = next(stage for stage in self._stages if stage.state == RUNNING)
        stage.state, stage.ms = state, round((self._now() - self._began) * 1000, 1)

    def _told(self) -> None:
        done = sum(stage.state == PASSED for stage in self._stages)
        self._tell(done / len(self._stages), self.at, self.as_json())
