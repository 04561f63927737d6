"""FTP uplinks made for a server of the tests."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock

from concentrator.uplink.ftp import FtpUplink
from concentrator.uplink.ftp_session import FtpServer
from tests.support.ftp_servers import PASSWORD, USER
from tests.support.records import FixedWall
from tests.support.uplinks import BOX


def at_once(work) -> Deferred:
    """No thread: the server is another process, and the test has nothing else to do."""
    return maybeDeferred(work)


def ftp_uplink(port: int, *, run_in_thread=at_once, clock=None, form="csv", reports=None, **server) -> FtpUplink:
    """An uplink to the FTP server on this machine."""
    told = [] if reports is None else reports
    return FtpUplink(
        server=FtpServer("127.0.0.1", port, **{"user": USER, "password": PASSWORD, "directory": "/incoming", **server}),
        box=BOX,
        alias=lambda uid: f"alias of {uid}",
        zone=ZoneInfo("Europe/Madrid"),
        run_in_thread=run_in_thread,
        clock=clock or Clock(),
        wall=FixedWall(),
        report=lambda name, facts: told.append((name, facts)),
        form=form,
    )


def outcome(deferred: Deferred):
    """What a Deferred that has fired has given, or the error."""
    found: list = []
    deferred.addCallbacks(found.append, lambda failure: found.append(failure.value))
    return found[0]
