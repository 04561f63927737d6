"""Child processes that live and die together: each with a log of its own, started in order, ended in reverse by their
ids, and none outliving its parent. Hides sessions, signals and where their words go."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import define, field

_TAIL_LINES = 15
_PR_SET_PDEATHSIG = 1  # prctl(2)


class ChildEnded(Exception):
    """A child ended that was still wanted. Its words are the sentence to show."""


@define
class Children:
    """The children of one parent; their logs lie in `logs`. One that does not end within `end_s` seconds when it is
    asked to is killed."""

    logs: Path
    end_s: float = 15.0
    _children: dict[str, subprocess.Popen[bytes]] = field(factory=dict)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str], told: str | None = None) -> int:
        """Starts a child in a session of its own, so that Ctrl-C reaches the parent alone, and gives its id; `told`
        is what it reads on its standard input."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with self.log_of(name).open("wb") as log:
            child = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL if told is None else subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_dying_with_parent(),
            )
        self._children[name] = child
        if child.stdin is not None and told is not None:
            child.stdin.write(told.encode())
            child.stdin.close()
        return child.pid

    def log_of(self, name: str) -> Path:
        """Where a child's words go."""
        return self.logs / f"{name}.log"

    def pids(self) -> dict[str, int]:
        """The ids of those started, in order."""
        return {name: child.pid for name, child in self._children.items()}

    def check(self) -> None:
        """Raises ChildEnded, with the last lines of its log, when one has ended."""
        for name, child in self._children.items():
            status = child.poll()
            if status is not None:
                lines = self.log_of(name).read_text(errors="replace").splitlines()[-_TAIL_LINES:]
                how = f"status {status}" if status >= 0 else signal.Signals(-status).name
                words = "\n".join([f"{name} ended by itself with {how}; see {self.log_of(name)}", *lines])
                raise ChildEnded(words)

    def stop(self) -> list[str]:
        """Ends all of them, the last started first, each before the next; gives the names of those that had to be
        killed because they did not end when asked to."""
        killed = []
        for name, child in reversed(self._children.items()):
            if child.poll() is not None:
                continue
            child.terminate()
            try:
                child.wait(self.end_s)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                killed.append(name)
        self._children.clear()
        return killed


def _dying_with_parent() -> Callable[[], None] | None:
    """What a child does before it begins, so that it is ended even when its parent is killed; Linux alone has it."""
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def bind() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return bind
