"""A trial of an FTP server: a small file is written, renamed and deleted there by the very steps that deliver files,
stage by stage. Hides the thread it blocks, and what each way of failing means."""

from __future__ import annotations

import ftplib
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, succeed

from concentrator.api import Wall
from concentrator.uplink.ftp import Threads
from concentrator.uplink.ftp_session import FtpServer, Session
from concentrator.uplink.ftp_wire import Habits
from concentrator.uplink.stages import LONGEST_S, Stages, Tell

NAMES = ("name", "port", "tls", "login", "directory", "write", "rename", "delete")
_STAGE_OF = {
    "connecting": "port",
    "TLS": "tls",
    "log-in": "login",
    "CWD": "directory",
    "SIZE": "write",
    "STOR": "write",
}
_STAGE_OF |= {"RNTO": "rename", "DELE": "delete"}
# X509_verify_cert_error_string(3)
_EXPIRED, _OTHER_NAMES = 10, frozenset({62, 64})
_ISSUED_BY_NOBODY = frozenset({2, 18, 19, 20, 21})


class _NoDirectory(Exception):
    """The directory is not there. Delivering would make it, but one that is mistyped looks the same."""


@define(eq=False)
class FtpTrial:
    """A trial of a server by box `box`."""

    _server: FtpServer
    _box: str
    _threads: Threads
    _clock: Any
    _wall: Wall
    _session: Session = field(init=False)
    _stages: Stages = field(init=False)
    _file: str = field(init=False)

    def run(self, tell: Tell) -> Deferred[object]:
        """Fires with the stages when all have passed or one failed; to be cancelled at any time."""
        server = self._server
        names = [name for name in NAMES if (name != "tls" or server.tls) and (name != "directory" or server.directory)]
        stages = self._stages = Stages(names, self._clock.seconds, tell)
        self._session = Session(server, Habits(), self._stepped)
        self._file = f"ccmaster-test-{self._box}-{int(self._wall.now())}.txt"
        stages.facts |= {"dir": server.directory or "/", "host": server.host, "port": server.port, "user": server.user}

        def overdue(result: object, seconds: float) -> object:
            stages.failed("late", seconds=round(seconds))
            return stages.as_json()

        fired: Deferred[object] = Deferred(lambda _: self._session.abort())

        def ended(outcome: Any) -> None:
            if not fired.called:
                fired.callback(outcome)

        self._threads.run(self._job).addBoth(ended)
        return fired.addTimeout(LONGEST_S, self._clock, overdue)

    def _job(self) -> object:
        """The trial itself, in a thread."""
        try:
            self._pass()
        except _NoDirectory:
            self._failed("directory", "")
        except (ftplib.Error, OSError, EOFError, ValueError) as why:
            self._failed(self._reason(why), self._said(why))
        finally:
            self._session.leave()
        return self._here(self._stages.as_json)

    def _pass(self) -> None:
        socket.getaddrinfo(self._server.host, self._server.port, type=socket.SOCK_STREAM)
        self._here(lambda: self._stages.passed("name"))
        self._session.open()
        self._session.put(self._file, lambda: [b"A test of the connection.\r\n"])
        self._session.remove(self._file)
        self._here(lambda: self._stages.facts.update(file=self._file))
        self._here(lambda: self._stages.passed("delete"))

    def _stepped(self, step: str) -> None:
        """A step begins: the stages before its own have passed."""
        if step.startswith("MKD"):
            raise _NoDirectory
        stage = _STAGE_OF.get(step.partition(" ")[0])
        names = self._stages.names
        if stage in names:
            for name in names[: names.index(stage)]:
                self._here(partial(self._stages.passed, name))

    def _failed(self, reason: str, said: str) -> None:
        self._here(lambda: self._stages.failed(reason, said, file=self._file))

    def _reason(self, why: Exception) -> str:
        """What a failure means at the stage it came in; empty where its words say all that is known."""
        stage, is_reply = self._stages.at, isinstance(why, ftplib.Error)
        if self._session.step == "certificates" and stage != "name":
            return "files"
        if stage == "port":
            return "refused" if isinstance(why, ConnectionRefusedError) else "port"
        if stage == "tls" and isinstance(why, ssl.SSLCertVerificationError):
            return _distrust(why.verify_code, bool(self._server.ca_file))
        if stage == "tls" and is_reply:
            return "tls_none"
        if stage == "login" and isinstance(why, ftplib.error_perm):
            return "auth"
        return stage if stage in ("name", "tls", "write", "rename", "delete") else ""

    def _said(self, why: Exception) -> str:
        said = str(why) or "the connection ended"
        return said.replace(self._server.password, "…") if self._server.password else said

    def _here(self, act: Callable[[], Any]) -> Any:
        """Does something where everything else runs."""
        return self._threads.wait_for(lambda: succeed(act()))


def _distrust(code: int, has_own_authority: bool) -> str:
    if code in _OTHER_NAMES:
        return "tls_name"
    if code == _EXPIRED:
        return "tls_expired"
    if code in _ISSUED_BY_NOBODY:
        return "tls_authority" if has_own_authority else "tls_unknown"
    return "tls"
