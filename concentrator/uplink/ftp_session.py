"""One file on its way to an FTP server, in a thread of its own. It hides ftplib: log-in, directories, TLS, the ways
servers differ, and how a file that is half there never bears its final name.

The file is sent as `<name>.part`, from its start however far an earlier try came, and renamed when its size is right;
first of all one looks whether it is already there, because a reply can be lost after all was done. Everything here
blocks, but for `abort`, which ends it from another thread.
"""

from __future__ import annotations

import ftplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from attrs import field, frozen

from concentrator.model.errors import TryLater

TIMEOUT_S = 20.0
"""How long the server may be silent, in seconds."""
GOODBYE_S = 3.0
"""How long a goodbye may take, in seconds: TLS's and ours."""
_BLOCK = 64 * 1024
_ABSENT = ("550",)  # RFC 959, 4.2
_UNKNOWN = ("500", "501", "502", "504")  # RFC 959, 4.2: the server has no such command


@frozen
class FtpServer:
    """Where files go and as whom. `directory` is created where it is missing, empty for the one after log-in; `tls`:
    explicit TLS (RFC 4217), the server's certificate vouched for by `ca_file` (PEM) or the system's authorities."""

    host: str
    port: int = 21
    user: str = ""
    password: str = field(default="", repr=False)
    directory: str = ""
    tls: bool = False
    ca_file: str = ""

    @property
    def address(self) -> str:
        """What people see of it."""
        return f"{'ftps' if self.tls else 'ftp'}://{self.host}:{self.port}"


@frozen
class Filed:
    """The file is there. `was_there`: it had been before; `replaced`: the size in bytes of another file that bore its
    name, None where there was none."""

    was_there: bool = False
    replaced: int | None = None


class Delivery:
    """Puts what `content` gives on a server under `name`. `run` once, in a thread; `abort` from any other."""

    def __init__(self, server: FtpServer, name: str, content: Callable[[], bytes]) -> None:
        self.name = name
        self._server = server
        self._content = content
        self._ftp: _Plain | _Secure = _Plain()
        self._step = "certificates"
        self._knows_size = True
        self._is_aborted = False

    def run(self) -> Filed:
        """Delivers; raises TryLater with server, step and reply."""
        content = self._content()
        try:
            if self._server.tls:
                self._ftp = _Secure(ssl.create_default_context(cafile=self._server.ca_file or None))
            self._log_in()
            self._enter(self._server.directory)
            filed = self._put(content)
            self._leave()
        except (ftplib.Error, OSError, EOFError, ValueError) as why:  # ValueError: replies ftplib cannot read
            raise TryLater(self._sentence(why)) from None
        finally:
            self._ftp.close()
        return filed

    def abort(self) -> None:
        """Makes `run` end soon, with TryLater."""
        self._is_aborted = True
        for wire in (self._ftp.sock, self._ftp.data):
            if wire is not None:
                with suppress(OSError):
                    socket.socket.shutdown(wire, socket.SHUT_RDWR)  # not TLS's own, which disturbs the other thread

    def _do(self, step: str) -> None:
        self._step = step
        if self._is_aborted:
            raise OSError("stopped")

    def _log_in(self) -> None:
        server = self._server
        self._do("connecting")
        self._ftp.connect(server.host, server.port, TIMEOUT_S)
        self._do("log-in")
        self._ftp.login(server.user, server.password)
        if isinstance(self._ftp, _Secure):
            self._do("PROT P")
            self._ftp.prot_p()
        self._do("TYPE I")
        self._ftp.voidcmd("TYPE I")

    def _enter(self, directory: str) -> None:
        if not directory:
            return
        self._do(f"CWD {directory}")
        with suppress(ftplib.error_perm):
            self._ftp.cwd(directory)
            return
        if directory.startswith("/"):
            self._ftp.cwd("/")
        for part in filter(None, directory.split("/")):
            self._do(f"CWD {part}")
            try:
                self._ftp.cwd(part)
            except ftplib.error_perm:
                self._do(f"MKD {part}")
                self._ftp.mkd(part)
                self._ftp.cwd(part)

    def _put(self, content: bytes) -> Filed:
        found = self._size(self.name)
        if found == len(content):
            return Filed(was_there=True)
        part = f"{self.name}.part"
        self._store(part, content)
        arrived = self._size(part)
        if arrived is not None and arrived != len(content):
            raise ftplib.error_reply(f"{arrived} of {len(content)} bytes arrived")
        if found is not None:
            self._do(f"DELE {self.name}")
            self._ftp.delete(self.name)
        self._rename(part)
        return Filed(replaced=found)

    def _size(self, name: str) -> int | None:
        """The size of a file in bytes; None when it is not there, or the server cannot say."""
        if not self._knows_size:
            return None
        self._do(f"SIZE {name}")
        try:
            return self._ftp.size(name)
        except ftplib.error_perm as why:
            self._knows_size = not str(why).startswith(_UNKNOWN)
            if self._knows_size and not str(why).startswith(_ABSENT):
                raise
            return None

    def _store(self, part: str, content: bytes) -> None:
        self._do(f"STOR {part}")
        with self._ftp.transfercmd(f"STOR {part}") as data:
            for start in range(0, len(content), _BLOCK):
                data.sendall(content[start : start + _BLOCK])
            if isinstance(data, ssl.SSLSocket):
                data.settimeout(GOODBYE_S)
                with suppress(OSError):  # some servers never answer TLS's goodbye; the size tells whether all is there
                    data.unwrap()
        self._ftp.voidresp()

    def _rename(self, part: str) -> None:
        self._do(f"RNTO {self.name}")
        try:
            self._ftp.rename(part, self.name)
        except ftplib.error_perm:
            if self._knows_size:
                raise
            self._ftp.delete(self.name)  # where sizes are unknown, the name may have been taken all along
            self._ftp.rename(part, self.name)

    def _leave(self) -> None:
        with suppress(ftplib.Error, OSError, EOFError):
            if self._ftp.sock is not None:
                self._ftp.sock.settimeout(GOODBYE_S)
            self._ftp.quit()

    def _sentence(self, why: Exception) -> str:
        said = "stopped" if self._is_aborted else str(why) or "the connection ended"
        if self._server.password:
            said = said.replace(self._server.password, "…")
        return f"{self._server.address}: {self._step}: {said}"


class _Plain(ftplib.FTP):
    """ftplib's client, which shows its data connection and reads replies in any encoding."""

    data: socket.socket | None = None

    def getline(self) -> str:
        if self.file is not None and self.file.errors != "replace":
            self.file.reconfigure(errors="replace")  # type: ignore[attr-defined]
        return super().getline()

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        self.data, size = super().ntransfercmd(cmd, rest)
        return self.data, size


class _Secure(_Plain, ftplib.FTP_TLS):
    """The same over TLS. The data connection resumes the session of the control connection, as many servers demand."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(context=context)

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        data, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        control: Any = self.sock
        wrapped = self.context.wrap_socket(
            data, server_hostname=self.host, session=control.session, do_handshake_on_connect=False
        )
        self.data = wrapped
        wrapped.do_handshake()
        return wrapped, size
