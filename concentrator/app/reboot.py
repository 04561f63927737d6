"""Starting anew: the program, by ending it in order so that systemd starts it again, or the machine, by systemctl.
Hides how it is told apart from an end that was meant."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from attrs import define
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger

from concentrator.actions.system import MACHINE
from concentrator.api import Report
from concentrator.model.errors import CommandError

PAUSE_S = 2.0
"""How long after the order it is done: the answer is out by then."""
EXIT_AGAIN = 75
"""The exit status of a program that wants to be started again (EX_TEMPFAIL of sysexits.h)."""
_SYSTEMD = Path("/run/systemd/system")  # sd_booted(3)

log = Logger()


@define(eq=False)
class Reboot:
    """Has the program or the machine started anew, once it is called with which of them."""

    _reactor: Any
    _report: Report
    _systemd: Path = _SYSTEMD
    _is_near: bool = False

    def __call__(self, what: str) -> float:
        """In so many seconds. Raises CommandError for a machine that cannot be told to."""
        systemctl = shutil.which("systemctl") if what == MACHINE else None
        if what == MACHINE and (systemctl is None or not self._systemd.exists()):
            raise CommandError("machine: this one has no systemd that could start it anew")
        if not self._is_near:
            self._is_near = True
            self._report("box.restarting", {"text": f"the {what} is started anew by command", "what": what})
            self._reactor.callLater(PAUSE_S, self._go, systemctl)
        return PAUSE_S

    def _go(self, systemctl: str | None) -> None:
        self._is_near = False
        if systemctl is None:
            atexit.register(_end_to_be_started_again)
            self._reactor.stop()
        else:
            self._reactor.spawnProcess(_Said(), systemctl, [systemctl, "reboot"])


class _Said(ProcessProtocol):  # type: ignore[misc]  # Twisted does not say what it inherits from
    """Logs what systemctl says."""

    def errReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        log.error("the machine is not started anew: {said}", said=data.decode("utf-8", "replace").strip())


def _end_to_be_started_again() -> None:
    """Has the process end with the status, which twistd, once it runs, knows no way to do."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_AGAIN)
