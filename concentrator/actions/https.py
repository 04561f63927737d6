"""Actions on the certificate of the portal. Hides that a key goes in only: the audit does not see it, and no answer has
it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission

PEM_MOST = 40_000


class Certificates(Protocol):
    """The certificate of a box. What cannot be used is an OutOfRange."""

    def facts(self) -> Mapping[str, object]:
        """What is used, or would be."""

    def install(self, pem: str) -> Mapping[str, object]:
        """Uses one of one's own."""

    def make_anew(self) -> Mapping[str, object]:
        """Uses one made on the box."""


def https_actions(certificates: Certificates) -> tuple[Action, ...]:
    """`https.get`, `https.install` and `https.make`."""
    pem = Argument("pem", Kind.TEXT, "private key, certificate and what vouches for it, as PEM", least=1, most=PEM_MOST)
    return (
        Action("https.get", "The certificate of the portal.", Permission.USERS, (), certificates.facts),
        Action(
            "https.install",
            "Has the portal use a certificate of one's own, at once.",
            Permission.USERS,
            (pem,),
            certificates.install,
            audited=lambda arguments: {name: "…" for name in arguments},
        ),
        Action(
            "https.make",
            "Has the portal use a new certificate signed by itself, at once; one of one's own is forgotten.",
            Permission.USERS,
            (),
            certificates.make_anew,
        ),
    )
