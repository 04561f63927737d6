"""What acts on a device is sent, once. Hides what the line's failures and the device's answers say about whether it may
have been carried out."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from attrs import define, frozen

from concentrator.line.line import Line
from concentrator.model.errors import ConcentratorError, LineError, Refused, WireError
from concentrator.wire.conversation import Conversation, Transaction

_UNCLEAR = (5, 11)
"""Exceptions after which it may have been carried out: acknowledge, for it takes long; a gateway's target failed to
respond (Modbus Application Protocol V1.1b3, 7)."""


@frozen
class Given:
    """What came of it: its answer, empty where there was none, and what leaves it in doubt."""

    reply: Any = None
    doubt: ConcentratorError | None = None


@define(eq=False)
class _Sent:
    """A conversation on its way: whether it got the wire."""

    has_begun: bool = False

    def over(self, conversation: Conversation[Any]) -> Generator[Transaction, Any, Any]:
        """The conversation, as it is, but noting that it has begun."""
        self.has_begun = True
        return (yield from conversation)


async def sent_once(line: Line, address: int | str, conversation: Conversation[Any], name: str) -> Given:
    """Sends what acts, before all polling; `name` is what it is called. Raises Refused where the device did not take
    it, or what the line fails with where it was not sent; all else leaves it in doubt."""
    sent = _Sent()
    try:
        return Given(await line.run(address, sent.over(conversation), urgent=True))
    except Refused as refusal:
        if refusal.code not in _UNCLEAR:
            raise Refused(refusal.code, f"{name}: {refusal.detail}", refusal.received) from refusal
        return Given(doubt=refusal)
    except (WireError, LineError) as error:
        if not sent.has_begun:
            raise
        return Given(doubt=error)
