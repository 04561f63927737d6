"""What a genset's cloud session is told by the operator, and what it needs of the rest of the box."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import Factory, define, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint

from concentrator.wire.smartgen import Location, Login
from concentrator.wire.smartgen_fields import Frame, Wiring


@frozen
class Terms:
    """The operator's settings: how the modem logs in and where, the controller's Modbus ID, whether what the server
    wants written is handed on to the controller, whether it may change port and baud rate, how often to upload where
    the server does not say, in seconds, and how often for its history (0: never; CMM365-2G manual, Form 1)."""

    login: Login
    server: tuple[str, int]
    unit: int = 1
    allow_write: bool = False
    allow_rewire: bool = False
    rate_s: float = 5.0
    history_s: float = 0.0


@define
class Figures:
    """What a session has done since it was made: `rounds` of reading, `unanswered` commands among them, sets and
    changes uploaded (`uploads`, the last at `uploaded_at`, clock seconds), what the server wanted written and was
    (`written`) or was not (`refused`), and how often it was online."""

    rounds: int = 0
    unanswered: int = 0
    uploads: int = 0
    uploaded_at: float | None = None
    written: int = 0
    refused: int = 0
    logins: int = 0


class Controller(Protocol):
    """The genset controller, as a session sees it."""

    @property
    def wiring(self) -> Wiring:
        """The port and baud rate in force."""

    def ask(self, request: Frame) -> Deferred[bytes]:
        """Sends a request once; fires with the reply's PDU, fails with NoReply, or WireError (a refusal is one)."""

    def rewire(self, wiring: Wiring) -> None:
        """Goes over to another port and baud rate, where they exist; `wiring` says what is in force then."""


@frozen
class Surroundings:
    """What a session needs: its clock, how to reach a host and port, a number from 0 to 1 that differs each time, who
    hears the server's time (seconds since 1970) and how the session stands, in words; the time of now (seconds since
    1970; None: not known), and where a receiver says the genset is (None: there is none, or it does not know)."""

    clock: IReactorTime
    reach: Callable[[str, int], IStreamClientEndpoint]
    jitter: Callable[[], float]
    on_time: Callable[[float], None] = Factory(lambda: lambda seconds: None)
    on_standing: Callable[[str], None] = Factory(lambda: lambda words: None)
    now: Callable[[], float | None] = Factory(lambda: lambda: None)
    where: Callable[[], Location | None] = Factory(lambda: lambda: None)
