"""What happened, as an action: the events the box keeps, newest first. Hides which of them is a trouble, and how pages
of them follow each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from twisted.internet.defer import Deferred

from concentrator.actions.history import moment_of
from concentrator.actions.present import stamp
from concentrator.actions.schema import Argument, Kind, quoted
from concentrator.actions.table import Action, Permission
from concentrator.api import Happened, Wall
from concentrator.model.errors import WrongArguments

LIMIT_MOST = 500
_LAST_N = 2**62


class Severity(StrEnum):
    """How much an event matters: a trouble wants somebody, a warning may, a note is for the record."""

    TROUBLE = "trouble"
    WARNING = "warning"
    NOTE = "note"


_TROUBLES = frozenset(
    {
        "device.lost",
        "device.conflict",
        "line.lost",
        "line.silent",
        "bus.duplicate_id",
        "config.failed",
        "journal.losing",
        "journal.stuck",
        "journal.set_aside",
        "journal.shortened",
        "uplink.records_rejected",
        "meter.permanent_error",
        "https.ending",
        "genset.alarm",
        "input.alarm",
    }
)
_WARNINGS = frozenset(
    {
        "device.write_failed",
        "counter.reset",
        "clock.untrusted",
        "clock.undated",
        "clock.stepped",
        "value.absurd",
        "link.collision",
        "link.limit",
        "link.failed",
        "journal.expired",
        "journal.copied",
        "uplink.file_replaced",
        "meter.power_low",
        "meter.temporary_error",
        "panel.reset",
        "sms.failed",
        "slave.map_full",
        "slave.map_lost",
    }
)

Place = tuple[int, int]
Ask = Callable[[int, Place, Callable[[Happened], bool], int], Deferred[tuple[list[Happened], Place | None]]]
"""`ask(since, before, fits, limit)`: events that fit, newest first, later than a moment (UTC seconds) and before a
place (moment and number), and the place before which to go on."""


def severity_of(name: str) -> Severity:
    """How much an event of a name matters; one that nobody knows is a note."""
    return Severity.TROUBLE if name in _TROUBLES else Severity.WARNING if name in _WARNINGS else Severity.NOTE


def event_actions(ask: Ask, wall: Wall) -> tuple[Action, ...]:
    """`events.list`."""

    async def listed(
        since: object, until: object, device: str, line: str, name: str, severity: str, limit: int, before: str
    ) -> object:
        begin = 0 if since is None else int(moment_of("since", since))
        end = int(wall.now()) + 1 if until is None else int(moment_of("until", until))
        wanted = (("device", device), ("line", line))

        def fits(happened: Happened) -> bool:
            if any(value and str(happened.facts.get(key, "")) != value for key, value in wanted):
                return False
            if severity and severity_of(happened.name) != severity:
                return False
            return not name or happened.name == name or happened.name.startswith(f"{name}.")

        place = _place(before) if before else (end, _LAST_N)
        found: list[Happened] = []
        following: Place | None = place
        while following is not None and len(found) < limit:
            more, following = await ask(begin, following, fits, limit - len(found))
            found += more
        return {
            "events": [_event(each) for each in found],
            "before": None if following is None else f"{following[0]}.{following[1]}",
        }

    return (
        Action(
            "events.list",
            "What happened, newest first: events with their facts. Where there are more, before says how to ask for "
            "those that follow.",
            Permission.READ,
            (
                Argument("since", Kind.VALUE, "ISO 8601 with offset, or UTC seconds; not included", False),
                Argument("until", Kind.VALUE, "likewise; included; now where it is left out", False),
                Argument("device", Kind.TEXT, "only of the device with this short id", False, ""),
                Argument("line", Kind.TEXT, "only of this line", False, ""),
                Argument("name", Kind.TEXT, "only of this name, or with this beginning, as device", False, ""),
                Argument("severity", Kind.TEXT, "only those", False, "", choices=("", *map(str, Severity))),
                Argument("limit", Kind.INTEGER, "at most so many", False, 100, least=1, most=LIMIT_MOST),
                Argument("before", Kind.TEXT, "what the answer before this one says there", False, ""),
            ),
            lambda **arguments: Deferred.fromCoroutine(listed(**arguments)),
        ),
    )


def _event(happened: Happened) -> Mapping[str, object]:
    return {
        "n": happened.number,
        "ts": stamp(happened.at),
        "event": happened.name,
        "severity": severity_of(happened.name).value,
        "facts": dict(happened.facts),
    }


def _place(text: str) -> Place:
    at, _, n = text.partition(".")
    if not (at.isascii() and at.isdecimal() and n.isascii() and n.isdecimal() and len(text) < 40):
        raise WrongArguments(f"before: found {quoted(text)}, expected what an answer says there")
    return min(int(at), _LAST_N), min(int(n), _LAST_N)
