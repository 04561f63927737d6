"""The action table: everything that can be asked of the box is registered here once and called from here only.
Hides who checks what and in which order, so that permission, arguments, audit and the words of an error are the same
for every caller, whatever road it came by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

from attrs import field, frozen
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.actions.schema import Argument, checked, describe
from concentrator.model.errors import (
    Busy,
    ConcentratorError,
    ConfigError,
    Denied,
    LineError,
    LineLost,
    NoReply,
    NotConfirmed,
    NotOfProfile,
    NotSignedIn,
    NotWritable,
    OutOfRange,
    Repeated,
    Stale,
    TooLarge,
    TooOften,
    TryLater,
    Unknown,
    WireError,
    WrongArguments,
)
from concentrator.model.words import hint

_log = Logger()


class Permission(StrEnum):
    """The classes of actions a caller may be allowed, as the configuration names them; `users` no road to the outside
    is given."""

    READ = "read"
    WRITE = "write"
    OUTPUT = "output"
    LINK = "link"
    CONFIG = "config"
    SYSTEM = "system"
    USERS = "users"


@frozen
class Caller:
    """Who asks: a name for the audit, and the classes of actions this road is allowed."""

    name: str
    allowed: frozenset[Permission]


@frozen
class Action:
    """Something that can be asked. `call` takes the arguments of `schema` by name and gives what JSON can carry, or
    Parts, now or as a Deferred. `heeds_caller`: it is given the Caller before them, for what it may do depends on him.
    `audited` makes of any arguments, fit or not, what the audit may see of them."""

    name: str
    summary: str
    permission: Permission
    schema: tuple[Argument, ...]
    call: Callable[..., object]
    heeds_caller: bool = False
    audited: Callable[[Mapping[str, object]], Mapping[str, object]] = dict


@frozen
class AuditEntry:
    """One line of the audit: who asked for what, and how it went: `begun`, `done`, or the code of the error."""

    caller: str
    action: str
    arguments: Mapping[str, object] = field(factory=dict)
    outcome: str = "begun"


@frozen
class _Promise:
    names: tuple[str, ...]
    make: Callable[[], Iterable[Action]]


class ActionTable:
    """The actions of the box by name. `audit` is told of every call that is not `read`: when it begins, before
    anything is done, and how it went; of a refused one, that it was refused."""

    def __init__(self, audit: Callable[[AuditEntry], None]) -> None:
        self._audit = audit
        self._actions: dict[str, Action | _Promise] = {}

    def register(self, action: Action) -> None:
        """Takes an action in; ValueError where its name is taken."""
        self._take((action.name,), action)

    def promise(self, names: Sequence[str], make: Callable[[], Iterable[Action]]) -> None:
        """Takes actions in of which so far only the names are known: `make`, called once when the first of them is
        asked for, gives just these. ValueError where a name is taken."""
        self._take(names, _Promise(tuple(names), make))

    def has(self, name: str) -> bool:
        """Whether there is an action of that name."""
        return name in self._actions

    def call(self, name: str, arguments: Mapping[str, object], caller: Caller) -> Deferred[object]:
        """Carries an action out; fires with its result. Fails with Unknown, Denied, WrongArguments or OutOfRange
        before anything is done, or with what the action itself fails with."""
        return maybeDeferred(self._call, name, arguments, caller)

    def permission(self, name: str) -> Permission | None:
        """What an action needs; None where there is none of that name."""
        return self._action(name).permission if name in self._actions else None

    def describe(self) -> list[dict[str, object]]:
        """All actions by name: name, summary, permission and a JSON Schema of the arguments, as JSON can carry it."""
        return [
            {
                "name": action.name,
                "summary": action.summary,
                "permission": action.permission.value,
                "arguments": describe(action.schema),
            }
            for action in map(self._action, sorted(self._actions))
        ]

    def _take(self, names: Sequence[str], given: Action | _Promise) -> None:
        for name in names:
            if name in self._actions:
                raise ValueError(f"action {name}: registered twice")
            self._actions[name] = given

    def _action(self, name: str) -> Action:
        found = self._actions[name]
        if isinstance(found, _Promise):
            made = {action.name: action for action in found.make()}
            if set(made) != set(found.names):
                raise RuntimeError(f"promised {', '.join(found.names)}, made {', '.join(made)}")
            self._actions |= made
            found = made[name]
        return found

    def _call(self, name: str, arguments: Mapping[str, object], caller: Caller) -> Deferred[object]:
        if name not in self._actions:
            raise Unknown(f"action {name}{hint(name, self._actions)}")
        action = self._action(name)
        try:
            _permit(action, caller)
            values = checked(action.schema, arguments)
        except ConcentratorError as error:
            self._note(action, caller, arguments, code_of(error))
            raise
        self._note(action, caller, values, "begun")

        def done(result: object) -> object:
            self._note(action, caller, values, "done")
            return result

        def failed(failure: Failure) -> Failure:
            if not failure.check(ConcentratorError):
                _log.failure("action {action} broke down", failure, action=name)
            self._note(action, caller, values, code_of(failure.value))
            return failure

        asking = (caller,) if action.heeds_caller else ()
        return maybeDeferred(action.call, *asking, **values).addCallbacks(done, failed)

    def _note(self, action: Action, caller: Caller, arguments: Mapping[str, object], outcome: str) -> None:
        if action.permission is not Permission.READ:
            self._audit(AuditEntry(caller.name, action.name, action.audited(arguments), outcome))


# The codes are a contract with every caller outside; the first class that fits counts.
_CODES: tuple[tuple[type[BaseException], str], ...] = (
    (NotSignedIn, "not_signed_in"),
    (Denied, "denied"),
    (Unknown, "unknown"),
    (WrongArguments, "wrong_arguments"),
    (OutOfRange, "out_of_range"),
    (NotWritable, "not_writable"),
    (NotConfirmed, "not_confirmed"),
    (Busy, "busy"),
    (TooOften, "too_often"),
    (Stale, "stale"),
    (Repeated, "repeated"),
    (TooLarge, "too_large"),
    (ConfigError, "config"),
    (NoReply, "no_reply"),
    (LineLost, "line_lost"),
    (LineError, "line_error"),
    (WireError, "wire_error"),
    (NotOfProfile, "not_of_profile"),
    (TryLater, "try_later"),
)
FAILED = "failed"
CODES = (*(code for _, code in _CODES), FAILED)


def code_of(error: BaseException | None) -> str:
    """The short, lasting name of an error; `failed` for any that has none of its own."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)


def error_json(error: BaseException | None) -> dict[str, str]:
    """An error as every caller outside is told of it: `code` and `message`. What is none of ours was never meant to
    be seen, so its words stay in the log."""
    ours = isinstance(error, ConcentratorError)
    return {"code": code_of(error), "message": str(error) if ours else "This failed inside the box; its log says why."}


def _permit(action: Action, caller: Caller) -> None:
    if action.permission not in caller.allowed:
        allowed = ", ".join(sorted(caller.allowed)) or "nothing"
        raise Denied(f"action {action.name} needs {action.permission}, {caller.name} is allowed {allowed}")
