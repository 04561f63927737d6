"""Tasks: actions that take their time. Whoever starts one gets its id at once and asks for it again; what it has found
so far is there to be seen while it goes on. Hides how a task ends, whichever way, and which of them are still
remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any, Protocol

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, DeferredList, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.actions.present import stamp
from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission, error_json
from concentrator.api import Wall
from concentrator.model.errors import Cancelled, ConcentratorError, Unknown
from concentrator.model.words import hint

KEPT = 50
"""How many tasks that are over are remembered."""

RUNNING, DONE, FAILED, CANCELLED = "running", "done", "failed", "cancelled"

log = Logger()


class Tell(Protocol):
    """What the work of a task is given to say how far it is."""

    def __call__(self, done: float, text: str, so_far: object = None) -> None:
        """`done`: 0 … 1, never taken back; `text`: what it is at; `so_far`: the result as far as there is one, which is
        kept where the task does not come to its end."""


@define(eq=False)
class Task:
    """One task. `result` is what JSON can carry; `error` the code and message of a failure; the times are UTC
    seconds."""

    id: str
    name: str
    started: float
    state: str = RUNNING
    progress: float = 0.0
    text: str = ""
    result: object = None
    error: dict[str, str] | None = None
    ended: float | None = None
    _work: Deferred[object] | None = field(default=None, init=False)

    def as_json(self) -> dict[str, object]:
        """The task as every caller outside is told of it."""
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "progress": round(self.progress, 4),
            "text": self.text,
            "result": self.result,
            "error": self.error,
            "started": stamp(self.started),
            "ended": stamp(self.ended),
        }

    def tell(self, done: float, text: str, so_far: object = None) -> None:
        """How far it is; see Tell."""
        if self.state == RUNNING:
            self.progress = max(self.progress, min(done, 1.0))
            self.text = text
            self.result = self.result if so_far is None else so_far

    def cancel(self) -> None:
        """Gives it up, unless it is over."""
        if self.state == RUNNING and self._work is not None:
            self._work.cancel()


class Tasks:
    """The tasks of the box since it started, each with an id that no later start gives again."""

    def __init__(self, wall: Wall) -> None:
        self._wall = wall
        self._boot = f"{int(wall.now()):x}"
        self._numbers = count(1)
        self._tasks: dict[str, Task] = {}

    def start(self, name: str, work: Callable[[Tell], Deferred[object]]) -> Task:
        """Begins `work`, whose Deferred fires with the result or is cancelled."""
        task = Task(f"{self._boot}-{next(self._numbers)}", name, self._wall.now())
        self._tasks[task.id] = task
        task._work = maybeDeferred(work, task.tell)
        task._work.addCallbacks(self._done, self._failed, callbackArgs=(task,), errbackArgs=(task,))
        return task

    def get(self, id: str) -> Task:
        """The task of that id; Unknown where there is none, or it is forgotten."""
        if id not in self._tasks:
            raise Unknown(f"task {id}{hint(id, self._tasks)}")
        return self._tasks[id]

    def all(self) -> list[Task]:
        """Those that run and those remembered, in the order in which they began."""
        return list(self._tasks.values())

    def stop(self) -> Deferred[Any]:
        """Gives up all that run; fires when they are over."""
        running = [task for task in self.all() if task.state == RUNNING]
        for task in running:
            task.cancel()
        return DeferredList([task._work for task in running if task._work is not None])

    def _done(self, result: object, task: Task) -> None:
        task.result = result
        task.progress = 1.0
        self._over(task, DONE)

    def _failed(self, failure: Failure, task: Task) -> None:
        if failure.check(CancelledError, Cancelled):
            self._over(task, CANCELLED)
            return
        if not failure.check(ConcentratorError):
            log.failure("task {name} broke down", failure, name=task.name)
        task.error = error_json(failure.value)
        self._over(task, FAILED)

    def _over(self, task: Task, state: str) -> None:
        task.state, task.ended = state, self._wall.now()
        over = [other.id for other in self._tasks.values() if other.state != RUNNING]
        for id in over[:-KEPT]:
            del self._tasks[id]


def task_actions(tasks: Tasks) -> Iterable[Action]:
    """What can be asked about tasks."""
    id = Argument("id", Kind.TEXT, "the id the task was begun with", least=1)

    def cancel(id: str) -> dict[str, object]:
        tasks.get(id).cancel()
        return tasks.get(id).as_json()

    return (
        Action(
            "task.get",
            "How far a task is: state, progress, what it is at, its result.",
            Permission.READ,
            (id,),
            lambda id: tasks.get(id).as_json(),
        ),
        Action(
            "task.list",
            "The tasks that run and the last that are over.",
            Permission.READ,
            (),
            lambda: [task.as_json() for task in tasks.all()],
        ),
        Action("task.cancel", "Gives a task up; what it found so far stays.", Permission.CONFIG, (id,), cancel),
    )
