"""Actions on who may use the portal. Hides nothing but names and arguments: what a user may be like, and that somebody
can always manage the others, is decided where users are kept. No password is an argument; one that the box makes is
in the answer once, and must be changed by whoever signs in with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission

ROLES = ("viewer", "installer", "administrator")


class Accounts(Protocol):
    """Who may use the portal. What cannot be is an OutOfRange, who is not there Unknown."""

    def listed(self) -> Sequence[object]:
        """Every user: `name`, `role`, `must_change` his password, `sessions` he has."""

    def add(self, name: str, role: str) -> Awaitable[str]:
        """Adds somebody; gives the password he begins with."""

    def reset(self, name: str) -> Awaitable[str]:
        """Gives somebody a new password to begin with, and ends his sessions."""

    def set_role(self, name: str, role: str) -> None:
        """Gives somebody another role, and ends his sessions."""

    def remove(self, name: str) -> None:
        """Removes somebody, and ends his sessions."""


def user_actions(accounts: Accounts) -> tuple[Action, ...]:
    """`user.list`, `user.add`, `user.reset`, `user.role` and `user.remove`."""
    name = Argument("name", Kind.TEXT, "the user's name", least=1)
    role = Argument("role", Kind.TEXT, "what he may", choices=ROLES)

    def made(ask: Callable[..., Awaitable[str]]) -> Callable[..., Deferred[dict[str, str]]]:
        async def told(name: str, **arguments: str) -> dict[str, str]:
            return {"name": name, "password": await ask(name, **arguments)}

        return lambda **arguments: Deferred.fromCoroutine(told(**arguments))

    def done(act: Callable[..., None]) -> Callable[..., dict[str, str]]:
        def told(name: str, **arguments: str) -> dict[str, str]:
            act(name, **arguments)
            return {"name": name} | arguments

        return told

    return (
        Action("user.list", "Who may use the portal.", Permission.USERS, (), lambda: list(accounts.listed())),
        Action(
            "user.add",
            "Adds a user of the portal; the answer has the password he begins with, which he must change.",
            Permission.USERS,
            (name, role),
            made(accounts.add),
        ),
        Action(
            "user.reset",
            "Gives a user of the portal a new password to begin with, which he must change; his sessions end.",
            Permission.USERS,
            (name,),
            made(accounts.reset),
        ),
        Action(
            "user.role",
            "Gives a user of the portal another role; his sessions end.",
            Permission.USERS,
            (name, role),
            done(accounts.set_role),
        ),
        Action(
            "user.remove",
            "Removes a user of the portal; his sessions end.",
            Permission.USERS,
            (name,),
            done(accounts.remove),
        ),
    )
