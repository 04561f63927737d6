"""One visitor's connection. Hides that a request which takes too long to come in is ended with an answer that says so,
however slowly and steadily it comes, and that everything on the wire is counted."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web import http

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class GuardedChannel(http.HTTPChannel):
    """A channel of a GuardedSite, which it is the `factory` of."""

    _deadline: IDelayedCall | None = None
    _is_over = False

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """Bytes of a request, or of the one after it."""
        self.factory.http_log.received += len(data)
        if self._is_over:
            return
        if self._deadline is None and not self._handlingRequest:
            self._deadline = self.callLater(self.factory.conduct.timeout_s, self._too_slow)
        super().dataReceived(data)

    def allContentReceived(self) -> None:  # noqa: N802
        """The request is whole."""
        self._end_deadline()
        super().allContentReceived()

    def write(self, data: bytes) -> None:
        """Bytes of an answer."""
        self.factory.http_log.sent += len(data)
        super().write(data)

    def writeSequence(self, iovec: Any) -> None:  # noqa: N802
        """Bytes of an answer, in parts."""
        parts = list(iovec)
        self.factory.http_log.sent += sum(map(len, parts))
        super().writeSequence(parts)

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Any) -> None:  # noqa: N802
        """The head of an answer."""
        lines = [(name, value) for name, values in headers.getAllRawHeaders() for value in values]
        first = len(version) + len(code) + len(reason) + 4
        self.factory.http_log.sent += first + sum(len(name) + len(value) + 4 for name, value in lines) + 2
        super().writeHeaders(version, code, reason, headers)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        """The visitor is gone."""
        self._end_deadline()
        self.factory.left(self)
        if not reason.check(ConnectionDone):
            self.factory.http_log.socket_errors += 1
        super().connectionLost(reason)

    def _respondToBadRequestAndDisconnect(self) -> None:  # noqa: N802
        # Twisted answers these itself, past every request.
        self._end_deadline()
        self.factory.http_log.answered(http.BAD_REQUEST)
        super()._respondToBadRequestAndDisconnect()

    def _too_slow(self) -> None:
        self._deadline = None
        self._is_over = True
        self.factory.http_log.answered(http.REQUEST_TIMEOUT)
        self.write(_TOO_SLOW)
        self.timeoutConnection()

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
