"""What a genset's cloud session is told by the operator, and what it needs of the rest of the box."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import Factory, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint

from concentrator.wire.smartgen import Login
from concentrator.wire.smartgen_fields import Frame, Wiring


@frozen
class Terms:
    """The operator's settings: how the modem logs in and where, the controller's Modbus ID, whether the server may
    write, and how often to upload where the server does not say, in seconds (CMM365-2G manual, Form 1)."""

    login: Login
    server: tuple[str, int]
    unit: int = 1
    allow_write: bool = False
    rate_s: float = 5.0


class Controller(Protocol):
    """The genset controller, as a session sees it."""

    wiring: Wiring
    """The port and baud rate in force."""

    def ask(self, request: Frame) -> Deferred[bytes]:
        """Sends a request once; fires with the reply's PDU, fails with NoReply, or WireError (a refusal is one)."""

    def rewire(self, wiring: Wiring) -> None:
        """Goes over to another port and baud rate, where they exist; `wiring` says what is in force then."""


@frozen
class Surroundings:
    """What a session needs: its clock, how to reach a host and port, a number from 0 to 1 that differs each time, and
    who hears the server's time (seconds since 1970) and how the session stands, in words."""

    clock: IReactorTime
    reach: Callable[[str, int], IStreamClientEndpoint]
    jitter: Callable[[], float]
    on_time: Callable[[float], None] = Factory(lambda: lambda seconds: None)
    on_standing: Callable[[str], None] = Factory(lambda: lambda words: None)
