"""What was typed into a form by somebody whose session had ended: kept for a while, so that he finds it again when he
has signed in. Hides that secrets are not kept, and that nobody can make the box keep much."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence

from attrs import define, field, frozen
from twisted.internet.interfaces import IReactorTime

KEPT_S = 900.0
KEPT_MOST = 20
_SECRET = re.compile("password|secret|token|pem|key|previous|again|new", re.IGNORECASE)


@frozen
class Typed:
    """What was typed on the page with that path."""

    path: str
    fields: Mapping[str, str]


@define(eq=False)
class KeptForms:
    """Forms by the keys under which they are kept: the newest twenty, for a quarter of an hour."""

    _clock: IReactorTime
    _forms: dict[str, tuple[float, Typed]] = field(factory=dict, init=False)

    def keep(self, path: str, fields: Mapping[str, Sequence[str]]) -> str:
        """Keeps what was typed; gives the key."""
        if len(self._forms) >= KEPT_MOST:
            del self._forms[next(iter(self._forms))]
        plain = {name: values[-1] for name, values in fields.items() if values and not _SECRET.search(name)}
        key = secrets.token_urlsafe(16)
        self._forms[key] = (self._clock.seconds(), Typed(path, plain))
        return key

    def take(self, key: str) -> Typed | None:
        """What was kept under a key, once; None where there is nothing any more."""
        at, typed = self._forms.pop(key, (0.0, None))
        return typed if typed is not None and self._clock.seconds() - at <= KEPT_S else None
