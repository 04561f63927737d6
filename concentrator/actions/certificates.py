"""Certificates of other ends as an action: brought to the box, to be named in its settings afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission

LONGEST = 32 * 1024
"""How many characters they may have: with the other fields of a form less than the portal takes of one."""

Keep = Callable[[str, str], object]
"""`keep(name, pem)`: keeps certificates under a name made of this one; gives `file`, its path, and `subject`, `issuer`
and `until` of the first. Raises WrongArguments where there is none in it."""


def certificate_actions(keep: Keep) -> Iterable[Action]:
    """`certificate.put`."""

    def audited(arguments: Mapping[str, object]) -> Mapping[str, object]:
        return {**arguments, "pem": "…"}

    return (
        Action(
            "certificate.put",
            "Keeps certificates on the box, in a file that only it can read; gives the path for the settings.",
            Permission.CONFIG,
            (
                Argument("name", Kind.TEXT, "what they are for, such as mqtt-ca", least=1, most=40),
                Argument("pem", Kind.TEXT, "the certificates, PEM", least=1, most=LONGEST),
            ),
            keep,
            audited=audited,
        ),
    )
