"""The gate of the portal: somebody says who he is, and gets a session or is told to wait. Hides the order of things:
who has to wait is not looked at, a try counts before its password is checked, and the session from before the login
ends with it."""

from __future__ import annotations

from math import ceil

from attrs import define

from concentrator.model.errors import Busy
from concentrator.web.session import Session, Sessions
from concentrator.web.tries import Tries
from concentrator.web.users import User, Users

BUSY_S = 5


class Wrong(Exception):
    """User or password is wrong."""


class Wait(Exception):
    """Too many tries: the next one is looked at after `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many tries, the next in {seconds} s")
        self.seconds = seconds


@define(eq=False)
class Gate:
    """Who may come in, who has, and who tried."""

    users: Users
    sessions: Sessions
    tries: Tries

    async def sign_in(self, address: str, name: str, password: str, key_before: str = "") -> tuple[str, Session]:
        """A session for who says these from that address, and the key of its cookie. Raises Wrong or Wait."""
        user = await self.known(address, name, password)
        if key_before:
            self.sessions.end(key_before)
        return self.sessions.begin(user.name, user.role, must_change=user.must_change)

    async def known(self, address: str, name: str, password: str) -> User:
        """The user who says these from that address, without a session. Raises Wrong or Wait."""
        waiting_s = self.tries.wait_s(address, name)
        if waiting_s > 0:
            raise Wait(ceil(waiting_s))
        # Counted first: tries that come while this one is being checked must not all be free.
        self.tries.failed(address, name)
        try:
            user = await self.users.check(name, password)
        except Busy:
            raise Wait(BUSY_S) from None
        if user is None:
            raise Wrong
        self.tries.passed(address, name)
        return user
