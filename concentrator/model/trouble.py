"""What is wrong, said so that it can be said again in another language: an English sentence like any other text, which
also knows its kind and the facts in it. Whoever only shows, logs or sends it need not know that it is more."""

from __future__ import annotations

from collections.abc import Mapping

from concentrator.model.errors import Garbled, NoReply, Refused, Unexpected

OTHER = "other"
"""The kind of what nobody gave one."""

_KINDS: tuple[tuple[type[Exception], str], ...] = (
    (NoReply, "no_reply"),
    (Garbled, "garbled"),
    (Unexpected, "unexpected"),
    (Refused, "refused"),
)


class Trouble(str):
    """A sentence in English. `kind`: which one it is, in a word; `facts`: what it is made of, by name."""

    __slots__ = ("facts", "kind")

    kind: str
    facts: Mapping[str, object]

    def __new__(cls, sentence: str, kind: str = OTHER, **facts: object) -> Trouble:
        """A sentence of a kind, with the facts in it."""
        made = super().__new__(cls, sentence)
        made.kind, made.facts = kind, facts
        return made


def trouble_of(error: BaseException | None, **facts: object) -> Trouble:
    """What an error says: of the kind no_reply, garbled, unexpected, refused (with its `code`), or other."""
    kind = next((kind for class_, kind in _KINDS if isinstance(error, class_)), OTHER)
    if isinstance(error, Refused):
        facts = {"code": error.code, **facts}
    return Trouble(str(error), kind, **facts)


def kind_of(said: str) -> str:
    """The kind of what is wrong; empty where nothing is."""
    return said.kind if isinstance(said, Trouble) else OTHER if said else ""


def facts_of(said: str) -> Mapping[str, object]:
    """The facts of what is wrong; none where nobody gave any."""
    return said.facts if isinstance(said, Trouble) else {}
