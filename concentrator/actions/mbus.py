"""M-Bus lines of a running box, as actions: a search, which is a task, reading one meter now, configured or not, and
what meters can be told. Hides that little of it disturbs polling: all but another speed takes turns with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from twisted.internet.defer import Deferred

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Caller, Permission
from concentrator.actions.tasks import RUNNING, Tasks, Tell
from concentrator.model.errors import Busy, WrongArguments
from concentrator.wire.mbus_address import ANYBODY, SecondaryAddress, parse_address
from concentrator.wire.mbus_frame import HIGHEST_PRIMARY
from concentrator.wire.mbus_talk import BAUD_RATES, Place

SEARCH, READ, SET_ADDRESS = "mbus.search", "mbus.read", "mbus.set_address"
RESET, SET_SPEED = "mbus.reset", "mbus.set_speed"

Searcher = Callable[[str, bool, SecondaryAddress, Tell], Deferred[object]]
"""`search(line, is_primary, mask, tell)`: looks at all primary addresses, or for all that match a mask. Raises Unknown
where there is no such line, WrongArguments where it is no M-Bus."""
Reader = Callable[[str, Place], Deferred[object]]
"""`read(line, place)`: what the meter there says, as JSON has it; raises as above, and fails where nobody answers."""

Mover = Callable[[str, Place, int], Deferred[object]]
"""`move(line, place, primary)`: gives the meter there another primary address and asks it there; raises as above, and
Denied where it is no device that may be written to."""


Spurrer = Callable[[str, int, Caller, Tell], Deferred[object]]
"""`spur(line, baudrate, caller, tell)`: has a line and all its meters talk at another speed; raises as above, and
Denied where one of them is not to be written to."""


def mbus_actions(tasks: Tasks, check: Callable[[str], None], search: Searcher, read: Reader) -> Iterable[Action]:
    """`mbus.search` and `mbus.read`. `check` raises what speaks against using a line now."""

    def begin(line: str, by: str, mask: str) -> dict[str, object]:
        check(line)
        _must_rest(tasks, line)
        name = f"{SEARCH} {line}"
        if mask and by == "primary":
            raise WrongArguments("mask of addresses: goes with secondary ones")
        wanted = _mask(mask, "mask of addresses") if mask else ANYBODY
        return {"task": tasks.start(name, partial(search, line, by == "primary", wanted)).id}

    def said(line: str, address: str) -> Deferred[object]:
        check(line)
        return read(line, place_of(address))

    line = Argument("line", Kind.TEXT, "the line's name", least=1)
    return (
        Action(
            SEARCH,
            "Looks for meters on an M-Bus, between the reads of those that are known; gives the task to ask.",
            Permission.CONFIG,
            (
                line,
                Argument("by", Kind.TEXT, "the addresses to ask", False, "secondary", choices=("secondary", "primary")),
                Argument("mask", Kind.TEXT, "only secondary addresses like this one, 12FFFFFF say", False, ""),
            ),
            begin,
        ),
        Action(
            READ,
            "Reads a meter on an M-Bus at once, whether it is configured or not: its telegrams, as bytes and decoded.",
            Permission.READ,
            (line, Argument("address", Kind.TEXT, "its primary address, or its secondary one", least=1)),
            said,
        ),
    )


def set_address_action(check: Callable[[str], None], move: Mover) -> Action:
    """`mbus.set_address`. `check` as above."""

    def begin(line: str, address: str, primary: int) -> Deferred[object]:
        check(line)
        return move(line, _one(address), primary)

    return Action(
        SET_ADDRESS,
        "Gives a meter on an M-Bus another primary address and asks it there; a device that is configured by its "
        "primary address is configured by the new one from then on. Only where allow_write of the device is true, and "
        "nobody else has the address.",
        Permission.WRITE,
        (
            Argument("line", Kind.TEXT, "the line's name", least=1),
            Argument("address", Kind.TEXT, "its primary address of now, or its secondary one", least=1),
            Argument("primary", Kind.INTEGER, "its new primary address", least=1, most=HIGHEST_PRIMARY),
        ),
        begin,
    )


def reset_action(check: Callable[[str], None], reset: Reader) -> Action:
    """`mbus.reset`. `check` as above; `reset(line, place)` raises as a Mover does."""

    def begin(line: str, address: str) -> Deferred[object]:
        check(line)
        return reset(line, _one(address))

    return Action(
        RESET,
        "Has the application of a meter on an M-Bus begin anew (EN 13757-3, CI 50): its next read begins with its "
        "first telegram, its counters stay; only where it is a device whose allow_write is true.",
        Permission.WRITE,
        (
            Argument("line", Kind.TEXT, "the line's name", least=1),
            Argument("address", Kind.TEXT, "its primary address, or its secondary one", least=1),
        ),
        begin,
    )


def set_speed_action(tasks: Tasks, check: Callable[[str], None], spur: Spurrer) -> Action:
    """`mbus.set_speed`. `check` as above."""

    def begin(caller: Caller, line: str, baudrate: int) -> dict[str, object]:
        check(line)
        _must_rest(tasks, line)
        return {"task": tasks.start(f"{SET_SPEED} {line}", partial(spur, line, baudrate, caller)).id}

    return Action(
        SET_SPEED,
        "Has an M-Bus and all meters that are configured there talk at another speed: they are told, the line is "
        "tuned, each is read, and the configuration changed. Where one does not answer all go back. Only where "
        "allow_write of each is true; gives the task to ask.",
        Permission.CONFIG,
        (
            Argument("line", Kind.TEXT, "the line's name", least=1),
            Argument("baudrate", Kind.INTEGER, "bits per second, 300 to 38400", least=min(BAUD_RATES)),
        ),
        begin,
        heeds_caller=True,
    )


def _must_rest(tasks: Tasks, line: str) -> None:
    running = [task.name for task in tasks.all() if task.state == RUNNING]
    if f"{SEARCH} {line}" in running:
        raise Busy(f"line {line} is being searched")
    if f"{SET_SPEED} {line}" in running:
        raise Busy(f"line {line} is being given another speed")


def _one(address: str) -> Place:
    place = place_of(address)
    if place.selected is not None and "F" in place.selected.identification:
        raise WrongArguments(f"address: found {address}, expected the digits of one meter")
    return place


def place_of(address: str) -> Place:
    """Where a meter is, by its address as people write it. Raises WrongArguments."""
    if address.isdecimal() and len(address) <= 3:
        if int(address) > HIGHEST_PRIMARY:
            raise WrongArguments(f"address: found {address}, expected a primary address 0 … {HIGHEST_PRIMARY}")
        return Place(int(address))
    return Place(selected=_mask(address, "address"))


def _mask(text: str, argument: str) -> SecondaryAddress:
    try:
        return parse_address(text)
    except ValueError as error:
        raise WrongArguments(f"{argument}: {error}") from error
