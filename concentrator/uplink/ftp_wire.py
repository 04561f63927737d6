"""ftplib's client as we want it: every socket can be ended from another thread while it is still being connected, data
connections go where the control connection goes, and over TLS they resume its session."""

from __future__ import annotations

import ftplib
import socket
import ssl
from contextlib import ExitStack, suppress
from typing import Any

from attrs import define

DIAL_S = 10.0
"""How long a data connection may take to come about, in seconds."""


@define
class Habits:
    """What was learnt of a server, to be kept from one connection to the next: whether EPSV leads anywhere, and
    whether SIZE tells sizes (None: not known yet)."""

    epsv: bool = True
    size: bool | None = None


class PlainWire(ftplib.FTP):
    """A connection to a server without TLS, once `dial` was called. Replies are read in any encoding."""

    dialling: socket.socket | None = None
    data: socket.socket | None = None

    def __init__(self, habits: Habits) -> None:
        super().__init__()
        self._habits = habits
        self._is_over = False

    def dial(self, host: str, port: int, timeout_s: float) -> None:
        """Connects, and reads the greeting. OSError, EOFError and ftplib's errors as they come."""
        self.host, self.port, self.timeout = host, port, timeout_s
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for last, (family, *_, address) in zip(range(len(found) - 1, -1, -1), found, strict=True):
            try:
                self.sock = self._connected(family, address, timeout_s)
                break
            except OSError:
                if not last:
                    raise
        assert self.sock is not None
        self._go_on()
        self.af = self.sock.family
        self.file = self.sock.makefile("r", encoding=self.encoding, errors="replace")
        self.welcome = self.getresp()

    def secure(self) -> None:
        """Makes the connection private, where it is of that kind."""

    def hang_up(self) -> None:
        """Ends every connection at once, and any that would follow; from any thread."""
        self._is_over = True
        for wire in (self.sock, self.data, self.dialling):
            if wire is not None:
                with suppress(OSError):
                    socket.socket.shutdown(wire, socket.SHUT_RDWR)  # not TLS's own, which disturbs the other thread

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """A data connection for a command, which has begun; the size in bytes is never given."""
        with ExitStack() as undo:
            data = undo.enter_context(self._data_connection())
            reply = self.sendcmd(cmd)
            if reply.startswith("2"):  # some servers confirm before they begin
                reply = self.getresp()
            if not reply.startswith("1"):
                raise ftplib.error_reply(reply)
            undo.pop_all()
        self.data = data
        self._go_on()
        return data, None

    def _go_on(self) -> None:
        """To be called once a socket can be seen from the other thread, which may have looked for it just before."""
        if self._is_over:
            raise OSError("stopped")

    def _data_connection(self) -> socket.socket:
        """To the address the control connection has, whatever the server says its own is: behind NAT it is another,
        and a stranger could have us connect anywhere. EPSV (RFC 2428) says only a port; PASV is for servers that do
        not know it, and for firewalls that do not open the way for it."""
        assert self.sock is not None
        host, _, *scope = peer = self.sock.getpeername()
        if self._habits.epsv or self.af != socket.AF_INET:
            try:
                port = ftplib.parse229(self.sendcmd("EPSV"), peer)[1]
                return self._connected(self.af, (host, port, *scope), DIAL_S)
            except (ftplib.Error, OSError):
                if self.af != socket.AF_INET:
                    raise
        port = ftplib.parse227(self.sendcmd("PASV"))[1]
        connected = self._connected(self.af, (host, port), DIAL_S)
        self._habits.epsv = False
        return connected

    def _connected(self, family: int, address: Any, timeout_s: float) -> socket.socket:
        with ExitStack() as undo:
            made = self.dialling = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
            undo.callback(setattr, self, "dialling", None)
            self._go_on()
            made.settimeout(timeout_s)
            made.connect(address)
            made.settimeout(self.timeout)
            self.dialling = None
            undo.pop_all()
        return made


class SecureWire(PlainWire):
    """The same over explicit TLS (RFC 4217), once `secure` was called."""

    def __init__(self, habits: Habits, context: ssl.SSLContext) -> None:
        super().__init__(habits)
        self._context = context
        self._session: ssl.SSLSession | None = None

    def secure(self) -> None:
        """Makes the control connection private, and those for data that follow."""
        self.voidcmd("AUTH TLS")
        assert self.sock is not None
        # The handshake comes after the socket is known, so that it can be ended while it waits.
        private = self._context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
        self.sock = private
        self._go_on()
        private.do_handshake()
        self.file = private.makefile("r", encoding=self.encoding, errors="replace")
        self.voidcmd("PBSZ 0")
        self.voidcmd("PROT P")

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """A private data connection, which resumes the control connection's session as many servers demand: the one
        it has at the first of them, for with TLS 1.3 there is none before something was read."""
        plain, _ = super().ntransfercmd(cmd)
        if self._session is None:
            # Once only: each time one asks, Python 3.11 loses a copy of some 5 KiB (github.com/python/cpython, issue
            # 116810). Asked for each file, that was 16 MiB a day with 32 meters and files every quarter of an hour.
            control: Any = self.sock
            self._session = control.session
        private = self._context.wrap_socket(
            plain, server_hostname=self.host, session=self._session, do_handshake_on_connect=False
        )
        self.data = private
        self._go_on()
        private.do_handshake()
        return private, None
