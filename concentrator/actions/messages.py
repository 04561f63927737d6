"""Short messages as actions: how each modem stands with its last messages, and a message to try it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from attrs import asdict, field, frozen

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission

TEXT_MOST = 160


@frozen
class MessageState:
    """What people see of a message: when (UTC seconds), `direction` in or out, the number but for its last digits, its
    text (empty of strangers), what became of it, why, and what it was for (alarm, answer, test; empty of those that
    came in)."""

    at: float
    direction: str
    number: str
    text: str
    fate: str
    reason: str = ""
    kind: str = ""


@frozen
class SmsState:
    """What people see of a section's short messages: its `name` and `driver`, how its modem stands (such as "Ready")
    and whether it can send, what is wrong in a sentence, its network and signal in percent (None: not known), the
    numbers but for their last digits, how many messages wait, how many came in, were refused, and were answered, and
    the last ones, newest first."""

    name: str
    driver: str
    standing: str
    is_ready: bool = False
    trouble: str = ""
    operator: str = ""
    signal: int | None = None
    numbers: Sequence[str] = ()
    waiting: int = 0
    received: int = 0
    refused: int = 0
    answered: int = 0
    messages: Sequence[MessageState] = field(factory=tuple)


def message_actions(
    states: Callable[[], Sequence[SmsState]], send: Callable[[str, str, str], None]
) -> Iterable[Action]:
    """`sms.state` and `sms.send`. `send(name, text, number)` sends a text by the section of that name, to all of its
    numbers where `number` is empty; it raises Unknown and TooOften."""

    def shown() -> list[dict[str, object]]:
        return [asdict(state) for state in states()]

    def sent(name: str, text: str, number: str) -> list[dict[str, object]]:
        send(name, text, number)
        return shown()

    return (
        Action(
            "sms.state",
            "Short messages: how each modem stands, and the last messages.",
            Permission.READ,
            (),
            shown,
        ),
        Action(
            "sms.send",
            "Sends a short message to configured numbers, to try them; gives what sms.state gives.",
            Permission.WRITE,
            (
                Argument("name", Kind.TEXT, "NAME of the section [sms.NAME]", least=1),
                Argument("text", Kind.TEXT, "the message", least=1, most=TEXT_MOST),
                Argument("number", Kind.TEXT, "one of its numbers; all where it is left out", False, "", most=20),
            ),
            sent,
            audited=_audited,
        ),
    )


def _audited(arguments: Mapping[str, object]) -> Mapping[str, object]:
    """The arguments without the number but for its last digits."""
    number = str(arguments.get("number") or "")
    return {**arguments, "number": f"…{number[-3:]}"} if number else arguments
