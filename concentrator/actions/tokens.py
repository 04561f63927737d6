"""The tokens of the API as actions. Hides that nobody gives a token what he may not do himself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from concentrator.actions.present import stamp
from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Caller, Permission
from concentrator.model.errors import Denied, OutOfRange

GIVEN = tuple(each for each in Permission if each is not Permission.USERS)
"""What a token can allow: who may use the box is people's matter."""


class Tokens(Protocol):
    """The tokens there are, each with `name`, `allowed` and `made_at`."""

    def __iter__(self) -> Any:
        """All of them."""

    def add(self, name: str, allowed: Iterable[str], now: float) -> str:
        """A new one; gives its secret. Raises OutOfRange."""

    def remove(self, name: str) -> None:
        """Takes one back. Raises Unknown."""


def token_actions(tokens: Tokens, now: Callable[[], float]) -> tuple[Action, ...]:
    """`token.list`, `token.add` and `token.remove`."""

    def add(caller: Caller, name: str, allow: list[str]) -> dict[str, object]:
        unknown = [each for each in allow if each not in GIVEN]
        if unknown or not allow:
            raise OutOfRange(f"allow: found {unknown or 'nothing'}, expected some of {', '.join(GIVEN)}")
        beyond = sorted(set(allow) - set(caller.allowed))
        if beyond:
            raise Denied(f"token {name}: allow {', '.join(beyond)} is more than {caller.name} may")
        return {"name": name, "allow": sorted(set(allow)), "token": tokens.add(name, sorted(set(allow)), now())}

    name = Argument("name", Kind.TEXT, "what the token is for", least=1, most=64)
    return (
        Action(
            "token.list",
            "The tokens of the API: what each is for, what it allows, when it was made; never its secret.",
            Permission.USERS,
            (),
            lambda: [{"name": each.name, "allow": list(each.allowed), "made": stamp(each.made_at)} for each in tokens],
        ),
        Action(
            "token.add",
            "Makes a token for the API; its secret is in the answer, and nowhere else ever after.",
            Permission.USERS,
            (name, Argument("allow", Kind.TEXTS, f"what it allows: {', '.join(GIVEN)}", least=1, most=len(GIVEN))),
            add,
            heeds_caller=True,
        ),
        Action("token.remove", "Takes a token back, at once.", Permission.USERS, (name,), tokens.remove),
    )
