"""Orders to the controllers of gensets as actions: a command by name, and a Modbus request as whoever asks made it.
Hides nothing but names and arguments; who may command and what is believed of a controller is decided where orders are
carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import Deferred

from concentrator.actions.gensets import status_json
from concentrator.actions.schema import Argument, Kind, quoted
from concentrator.actions.table import Action, Caller, Permission
from concentrator.model.errors import WrongArguments

if TYPE_CHECKING:
    from concentrator.model.genset import GensetStatus

LONGEST_HEX = 1024
"""The characters of a request; blanks between its bytes are many of them."""


class Carried(Protocol):
    """An order that was carried out."""

    @property
    def outcome(self) -> str:
        """Whether the status shows it ("confirmed"), or the controller took it and tells no more ("accepted")."""

    @property
    def status(self) -> GensetStatus | None:
        """How the genset is, None where nobody looked."""

    @property
    def reply(self) -> bytes:
        """The PDU that answered a request."""

    @property
    def is_write(self) -> bool:
        """Whether a request was one that writes."""


Give = Callable[[str, str, str], Deferred[Any]]
"""`give(uid, command, by)`: gives a command to a controller, in somebody's name; fires with a Carried."""
Raw = Callable[[str, bytes, str], Deferred[Any]]
"""`raw(uid, frame, by)`: sends somebody's request to a controller; fires with a Carried."""


def order_actions(give: Give, raw: Raw) -> tuple[Action, ...]:
    """`genset.command` and `modbus.raw`. The first gives the outcome and the status, as far as that was read;
    the second the PDU of the reply, and whether the request writes."""
    uid = Argument("uid", Kind.TEXT, "the device's short id: the key of its section in the configuration", least=1)
    name = Argument("command", Kind.TEXT, "a command of its profile, such as start, stop, auto, manual, reset", least=1)
    frame = "the request as a Modbus RTU frame in hexadecimal, checksum included; for unit 0, 1 or the device's own"
    request = Argument("request", Kind.TEXT, frame, least=1, most=LONGEST_HEX)

    def commanded(caller: Caller, uid: str, command: str) -> Deferred[Mapping[str, object]]:
        def told(carried: Carried) -> Mapping[str, object]:
            status = None if carried.status is None else status_json(carried.status)
            return {"uid": uid, "command": command, "outcome": carried.outcome, "status": status}

        return give(uid, command, caller.name).addCallback(told)

    def answered(caller: Caller, uid: str, request: str) -> Deferred[Mapping[str, object]]:
        def told(carried: Carried) -> Mapping[str, object]:
            return {
                "uid": uid,
                "function": carried.reply[0] & 0x7F,
                "is_write": carried.is_write,
                "outcome": carried.outcome,
                "reply": carried.reply.hex().upper(),
            }

        return raw(uid, frame_of(request), caller.name).addCallback(told)

    return (
        Action(
            "genset.command",
            "Gives a command to the controller of a genset, once, and confirms it by reading its status; only where "
            "allow_commands of the device is true, and the command verified for its model or allow_unverified true.",
            Permission.WRITE,
            (uid, name),
            commanded,
            heeds_caller=True,
        ),
        Action(
            "modbus.raw",
            "Sends a Modbus request to a device, of functions 01 to 06, 0F and 10, and gives the PDU of its reply; one "
            "that writes only where allow_raw of the device is true, and once.",
            Permission.WRITE,
            (uid, request),
            answered,
            heeds_caller=True,
        ),
    )


def frame_of(text: str) -> bytes:
    """The bytes of a request in hexadecimal; raises WrongArguments."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise WrongArguments(f"request: found {quoted(text)}, expected bytes in hexadecimal") from None
