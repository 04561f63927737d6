"""FTP uplinks made for a server of the tests."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock

from concentrator.uplink.ftp import FtpUplink
from concentrator.uplink.ftp_session import FtpServer
from tests.support.ftp_servers import PASSWORD, USER, FtpServerProcess
from tests.support.records import FixedWall
from tests.support.uplinks import BOX


class NoThreads:
    """No thread: the server is another process, and the test has nothing else to do."""

    def run(self, job) -> Deferred:
        return maybeDeferred(job)

    def wait_for(self, ask):
        return outcome(ask(), raises=True)


def ftp_uplink(port: int, *, threads=None, clock=None, form="csv", reports=None, **server) -> FtpUplink:
    """An uplink to the FTP server on this machine."""
    told = [] if reports is None else reports
    return FtpUplink(
        server=FtpServer("127.0.0.1", port, **{"user": USER, "password": PASSWORD, "directory": "/incoming", **server}),
        box=BOX,
        alias=lambda uid: f"alias of {uid}",
        zone=ZoneInfo("Europe/Madrid"),
        threads=threads or NoThreads(),
        clock=clock or Clock(),
        wall=FixedWall(),
        report=lambda name, facts: told.append((name, facts)),
        form=form,
    )


def settings_of(server: FtpServerProcess, folder: str = "incoming") -> dict[str, str]:
    """What an uplink has to know of a server, besides its port."""
    return {"user": server.user, "password": server.password, "directory": server.directory(folder)}


def outcome(deferred: Deferred, *, raises: bool = False):
    """What a Deferred that has fired has given, or the error."""
    found: list = []
    deferred.addCallbacks(found.append, lambda failure: found.append(failure.value))
    if raises and isinstance(found[0], Exception):
        raise found[0]
    return found[0]
