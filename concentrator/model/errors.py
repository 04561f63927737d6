"""The one tree of errors. Each class's docstring is the sentence an operator reads; what happened here and now is
its detail. Hides nothing else: a layer translates what it catches once, into one of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen

from concentrator.model.record import Receipt


class ConcentratorError(Exception):
    """Something went wrong in the concentrator."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail

    @property
    def sentence(self) -> str:
        """The class's sentence, followed by what happened this time."""
        said = (type(self).__doc__ or "").strip().splitlines()[0].rstrip(".")
        return f"{said}: {self.detail}" if self.detail else f"{said}."

    def __str__(self) -> str:
        return self.sentence


@frozen
class Fault:
    """One fault of a file, in the form people see: where it is, what was found, which rule it breaks.

    `section` is empty for a fault of the file as a whole, `key` for one of a whole section; `hint` is the nearest
    valid name, or empty. `rule` names the rule for whoever says it in other words than `expected`, with what it says
    of its limits in `terms`; empty where the rule has no name.
    """

    file: str
    section: str
    key: str
    found: str
    expected: str
    hint: str = ""
    rule: str = field(default="", eq=False)
    terms: Mapping[str, str] = field(factory=dict, eq=False)

    def __str__(self) -> str:
        place = " ".join(part for part in (f"[{self.section}]" if self.section else "", self.key) if part)
        hint = f" (did you mean {self.hint}?)" if self.hint else ""
        return f"{self.file}: {place + ': ' if place else ''}found {self.found}, expected {self.expected}{hint}"


class _Faulty(ConcentratorError):
    """A file has faults."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)


class ConfigError(_Faulty):
    """The configuration file is wrong."""


class ProfileError(_Faulty):
    """A device profile is wrong."""


class WireError(ConcentratorError):
    """The other end sent bytes that are no answer."""

    def __init__(self, detail: str = "", received: bytes = b"") -> None:
        super().__init__(detail)
        self.received = received


class Garbled(WireError):
    """The answer is damaged."""


class Unexpected(WireError):
    """The answer is not for this request."""


class Refused(WireError):
    """The device refused the request."""

    def __init__(self, code: int, detail: str = "", received: bytes = b"") -> None:
        super().__init__(detail or f"exception code {code}", received)
        self.code = code


class LineError(ConcentratorError):
    """The line did not carry the exchange."""


class NoReply(LineError):
    """The device did not answer in time."""


class LineLost(LineError):
    """The line is not there."""


class Cancelled(LineError):
    """The exchange was given up before its end."""


class NotOfProfile(ConcentratorError):
    """The device is not what its profile says."""


class DeliveryError(ConcentratorError):
    """The far side did not take the data."""


class TryLater(DeliveryError):
    """The far side cannot take data now; everything is kept.

    `receipt`: what had become of some records before the trouble came; `in_flight`: the numbers of those that were on
    their way when the connection fell, which are kept like the rest.
    """

    def __init__(
        self, detail: str = "", receipt: Receipt | None = None, in_flight: frozenset[int] = frozenset()
    ) -> None:
        super().__init__(detail)
        self.receipt = receipt if receipt is not None else Receipt(frozenset())
        self.in_flight = in_flight


class JournalError(ConcentratorError):
    """The journal cannot do this."""


class Full(JournalError):
    """The disk of the journal is full."""


class Corrupt(JournalError):
    """The journal's file is damaged."""


class UnknownSchema(JournalError):
    """The journal was written by a newer version."""


class CommandError(ConcentratorError):
    """The command was not carried out."""


class NotSignedIn(CommandError):
    """Nobody is known who asks for this."""


class Denied(CommandError):
    """This is not allowed by the configuration."""


class NotWritable(CommandError):
    """The value cannot be written."""


class OutOfRange(CommandError):
    """An argument is outside its range."""


class NotConfirmed(CommandError):
    """The device did not confirm what was written."""


class Unknown(CommandError):
    """There is nothing of this name."""


class WrongArguments(CommandError):
    """The arguments do not fit."""


class Busy(CommandError):
    """Something else is going on that this would disturb."""


class TooOften(CommandError):
    """This is asked for too often."""


class Stale(CommandError):
    """The command is not of the present."""


class Repeated(CommandError):
    """A command of this id came before."""


class TooLarge(CommandError):
    """The answer is too large."""
