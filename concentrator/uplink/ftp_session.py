"""A log-in at an FTP server, over which files go one after another. It hides directories, the ways servers differ, and
how a file that is half there never bears its final name.

A file is sent as `<name>.part`, from its start however far an earlier try came, and renamed when its size is right;
first of all one looks whether it is already there, because a reply can be lost after all was done. Its content comes
in pieces and is never held whole: what was sent is counted, and only where a file bears the name already is the
content gone through before, for its size. Another file of that name is kept beside it, for what is in it may be
nowhere else. Everything here blocks, but for `abort`, which ends it from another thread.
"""

from __future__ import annotations

import ftplib
import re
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress

from attrs import field, frozen

from concentrator.uplink.ftp_wire import Habits, PlainWire, SecureWire

TIMEOUT_S = 20.0
"""How long the server may be silent, in seconds."""
GOODBYE_S = 3.0
"""How long a goodbye may take, in seconds: TLS's and ours."""
_LISTING_BYTES = 64 * 1024
_MOST_KEPT = 99
_LISTED = re.compile(
    r"-\S*\s+\d+\s+\S+\s+\S+\s+(\d+)\s+\w+\s+\w+\s+[\d:]+\s.*"  # as Unix lists: mode, links, owner, group, size, date
    r"|\d\d-\d\d-\d\d(?:\d\d)?\s+\d\d:\d\d(?:[AP]M)?\s+(\d+)\s.*"  # as Windows does: date, time, size
)

Content = Callable[[], Iterable[bytes]]
"""`content()`: the file from its start, in pieces; the same every time."""


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
    name, None where there was none, and `kept_as` the name that one has now."""

    was_there: bool = False
    replaced: int | None = None
    kept_as: str = ""


@frozen
class _Found:
    """A file on the server; `size` in bytes, None where the server does not tell."""

    size: int | None


class Session:
    """A connection to a server, to be opened once and then to be given files. `step` says what it is at, which `noted`
    hears before it is done, and may raise; a failure is ftplib's, an OSError, an EOFError or, for replies that cannot
    be read, a ValueError."""

    def __init__(self, server: FtpServer, habits: Habits, noted: Callable[[str], None] = lambda step: None) -> None:
        self.step = "certificates"
        self._noted = noted
        self.files = 0
        self._server = server
        self._habits = habits
        self._wire: PlainWire | None = None
        self._is_aborted = False

    @property
    def is_looking_up(self) -> bool:
        """Whether it asks for the server's address, in which nothing can disturb it."""
        wire = self._wire
        return self.step == "connecting" and wire is not None and wire.sock is None and wire.dialling is None

    @property
    def is_aborted(self) -> bool:
        """Whether it was told to end."""
        return self._is_aborted

    def open(self) -> None:
        """Connects, logs in and enters the directory."""
        server, wire = self._server, PlainWire(self._habits)
        if server.tls:
            wire = SecureWire(self._habits, ssl.create_default_context(cafile=server.ca_file or None))
        self._wire = wire
        self._do("connecting")
        wire.dial(server.host, server.port, TIMEOUT_S)
        if server.tls:
            self._do("TLS")
            wire.secure()
        self._do("log-in")
        wire.login(server.user, server.password)
        self._do("TYPE I")
        wire.voidcmd("TYPE I")
        self._enter(wire, server.directory)

    def is_alive(self) -> bool:
        """Whether the server still answers."""
        assert self._wire is not None
        try:
            self._do("NOOP")
            self._wire.voidcmd("NOOP")
        except (ftplib.Error, OSError, EOFError, ValueError):
            return False
        return True

    def put(self, name: str, content: Content) -> Filed:
        """Has the file be there under its name."""
        assert self._wire is not None
        wire = self._wire
        self.files += 1
        found = self._look(wire, name)
        if found is not None and found.size is not None and found.size == sum(map(len, content())):
            return Filed(was_there=True)
        part = f"{name}.part"
        sent = self._store(wire, part, content())
        arrived = self._look(wire, part)
        if arrived is not None and arrived.size not in (None, sent):
            raise ftplib.error_reply(f"{arrived.size} of {sent} bytes arrived")
        kept_as = ""
        if found is not None and found.size is not None:
            kept_as = self._make_room(wire, name)
        self._rename(wire, part, name)
        return Filed(replaced=None if found is None else found.size, kept_as=kept_as)

    def remove(self, name: str) -> None:
        """Deletes a file."""
        assert self._wire is not None
        self._do(f"DELE {name}")
        self._wire.delete(name)

    def leave(self) -> None:
        """Says goodbye and closes."""
        wire = self._wire
        if wire is not None and wire.sock is not None:
            with suppress(ftplib.Error, OSError, EOFError, ValueError):
                wire.sock.settimeout(GOODBYE_S)
                wire.quit()
        self.close()

    def close(self) -> None:
        """Closes without a word."""
        if self._wire is not None:
            self._wire.close()
            if self._wire.data is not None:
                self._wire.data.close()

    def abort(self) -> None:
        """Makes whatever it is at fail soon, and everything after it."""
        self._is_aborted = True
        if self._wire is not None:
            self._wire.hang_up()

    def _do(self, step: str) -> None:
        self.step = step
        if self._is_aborted:
            raise OSError("stopped")
        self._noted(step)

    def _enter(self, wire: PlainWire, directory: str) -> None:
        if not directory:
            return
        self._do(f"CWD {directory}")
        with suppress(ftplib.error_perm):
            wire.cwd(directory)
            return
        if directory.startswith("/"):
            wire.cwd("/")
        for part in filter(None, directory.split("/")):
            self._do(f"CWD {part}")
            try:
                wire.cwd(part)
            except ftplib.error_perm:
                self._do(f"MKD {part}")
                wire.mkd(part)
                wire.cwd(part)

    def _look(self, wire: PlainWire, name: str) -> _Found | None:
        """The file of a name; None where there is none, as far as the server tells. SIZE tells that only of a server
        that has told a size before: many refuse the command with the very reply of a file that is not there."""
        if self._habits.size is not False:
            self._do(f"SIZE {name}")
            with suppress(ftplib.error_perm):
                size = wire.size(name)
                self._habits.size = True
                return _Found(size)
            if self._habits.size:
                return None
        listed = self._listed(wire, name)
        if listed is not None:
            self._habits.size = False  # it is there, and SIZE did not say so
        return listed

    def _listed(self, wire: PlainWire, name: str) -> _Found | None:
        self._do(f"LIST {name}")
        text = b""
        try:
            with wire.transfercmd(f"LIST {name}") as data:
                while len(text) < _LISTING_BYTES and (block := data.recv(8192)):
                    text += block
            wire.voidresp()
        except (ftplib.error_perm, ftplib.error_temp):
            return None
        for line in text.decode("utf-8", "replace").splitlines():
            if line.rstrip().endswith(name):
                told = _LISTED.fullmatch(line.strip())
                return _Found(int(told[1] or told[2]) if told else None)
        return None

    def _store(self, wire: PlainWire, part: str, content: Iterable[bytes]) -> int:
        """Sends a file from its start; gives how many bytes that were."""
        self._do(f"STOR {part}")
        sent = 0
        try:
            with wire.transfercmd(f"STOR {part}") as data:
                for piece in content:
                    self._do(self.step)
                    data.sendall(piece)
                    sent += len(piece)
                if isinstance(data, ssl.SSLSocket):
                    data.settimeout(GOODBYE_S)
                    with suppress(OSError):  # some servers never answer TLS's goodbye; the size tells if all is there
                        data.unwrap()
        except OSError:
            self._hear_why(wire)
            raise
        wire.voidresp()
        return sent

    def _hear_why(self, wire: PlainWire) -> None:
        """Raises what the server says of a data connection that fell, where it says something."""
        if wire.sock is not None and not self._is_aborted:
            with suppress(OSError, EOFError):
                wire.sock.settimeout(GOODBYE_S)
                wire.voidresp()

    def _make_room(self, wire: PlainWire, name: str) -> str:
        """Gives the file of that name another one, which it returns."""
        for k in range(1, _MOST_KEPT):
            kept_as = f"{name}.{k}"
            if self._look(wire, kept_as) is None:
                break
        self._do(f"RNTO {kept_as}")
        wire.rename(name, kept_as)
        return kept_as

    def _rename(self, wire: PlainWire, part: str, name: str) -> None:
        self._do(f"RNTO {name}")
        try:
            wire.rename(part, name)
        except ftplib.error_perm:
            if self._habits.size:
                raise
            wire.delete(name)  # where sizes are unknown, the name may have been taken all along
            wire.rename(part, name)
