"""One file on its way to an FTP server, in a thread of its own, over the connection of the file before it where that is
still good."""

from __future__ import annotations

import ftplib
from contextlib import ExitStack

from concentrator.model.errors import TryLater
from concentrator.uplink.ftp_session import Content, Filed, FtpServer, Session
from concentrator.uplink.ftp_wire import Habits

MOST_FILES = 100
"""How many files go over one connection: servers put bounds to a connection's life, and to what it may move."""


class Delivery:
    """Puts what `content` gives on a server under `name`, over `session` if it is still good. `run` once, in a thread;
    afterwards `session` is a good one for the next file, or None. `abort` from any other thread, which `is_aborted`
    tells; the session is none for another file then."""

    def __init__(
        self, server: FtpServer, habits: Habits, name: str, content: Content, session: Session | None = None
    ) -> None:
        self.name = name
        self.session = session
        self._server = server
        self._habits = habits
        self._content = content
        self.is_aborted = False

    @property
    def is_looking_up(self) -> bool:
        """Whether it asks for the server's address: it then ends by itself only, and does nothing more."""
        return self.session is not None and self.session.is_looking_up

    def run(self) -> Filed:
        """Delivers; raises TryLater with server, step and reply, or what making the content raises."""
        session = self._session()
        with ExitStack() as undo:
            undo.callback(self._drop, session)
            try:
                filed = session.put(self.name, self._content)
            except (ftplib.Error, OSError, EOFError, ValueError) as why:
                raise self._trouble(session, why) from None
            undo.pop_all()
        if session.files >= MOST_FILES:
            self.session = None
            session.leave()
        return filed

    def abort(self) -> None:
        """Makes `run` end soon, with TryLater."""
        self.is_aborted = True
        if self.session is not None:
            self.session.abort()

    def _session(self) -> Session:
        if self.session is not None:
            if self.session.is_alive():
                return self.session
            self.session.close()  # the server had enough of it; that is no failure
        session = self.session = Session(self._server, self._habits)
        if self.is_aborted:
            session.abort()
        try:
            session.open()
        except (ftplib.Error, OSError, EOFError, ValueError) as why:
            raise self._trouble(session, why) from None
        return session

    def _trouble(self, session: Session, why: Exception) -> TryLater:
        self._drop(session)
        said = "stopped" if self.is_aborted else str(why) or "the connection ended"
        if self._server.password:
            said = said.replace(self._server.password, "…")
        return TryLater(f"{self._server.address}: {session.step}: {said}")

    def _drop(self, session: Session) -> None:
        self.session = None
        session.close()
