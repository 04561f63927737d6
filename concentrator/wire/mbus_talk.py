"""What a master says to M-Bus meters, as conversations: resetting, asking for telegrams until there are no more,
selecting by secondary address, probing whether one, several or nobody matches, and the few things a meter is told.
Hides frame count bits, repetitions, meters that do not turn them, and who spoke in place of whom.

Every session begins with a reset or a selection and ends with a reset, also one that ends in an error, so that whoever
else uses the line finds meters as they are after one. Only who was not selected and does not answer is let be, and who
was told something at its primary address. After the last of several probes it takes a `deselect`.

Sources: EN 13757-2, 5; EN 13757-3, 11.3 and 11.5.
"""

from __future__ import annotations

from contextlib import suppress
from enum import Enum

from attrs import frozen

from concentrator.model.errors import Garbled, NoReply, NotConfirmed, OutOfRange, Refused, Unexpected, WireError
from concentrator.wire.conversation import Conversation, LineSettings, Need, Transaction, retrying
from concentrator.wire.mbus_address import SecondaryAddress
from concentrator.wire.mbus_frame import (
    HIGHEST_PRIMARY,
    REQ_UD2,
    SELECTED,
    SND_NKE,
    SND_UD,
    Frame,
    Toggle,
    acknowledged,
    acknowledged_cleanly,
    answer_s,
    answered_by,
)
from concentrator.wire.mbus_record import RESET, SELECT, SEND, Telegram, address_of, decoded

ATTEMPTS = 3
PROBE_ATTEMPTS = 2
MOST_TELEGRAMS = 20
NETWORK_WAIT_S = 0.5
"""How long a first byte may take through a converter on the network, in seconds, at 2400 bits per second."""
NETWORK_LATEST_S = 2.0
"""How late a first byte may come through a converter whose line is as slow as 300 bits per second."""
BAUD_RATES = {300: 0xB8, 600: 0xB9, 1200: 0xBA, 2400: 0xBB, 4800: 0xBC, 9600: 0xBD, 19200: 0xBE, 38400: 0xBF}
"""The CI fields by which a meter is told its speed, in bits per second (EN 13757-3, table 1)."""
_PRIMARY_ADDRESS = bytes((0x01, 0x7A))  # a record: one byte, bus address


@frozen
class Place:
    """Where a meter is asked: at its primary address, or selected by its secondary one."""

    primary: int = SELECTED
    selected: SecondaryAddress | None = None

    @property
    def address(self) -> int:
        """The address that frames to it carry."""
        return self.primary if self.selected is None else SELECTED


class Crowd(Enum):
    """Several meters answered at once, or something that is no answer."""

    COLLISION = "collision"


Outcome = SecondaryAddress | Crowd | None
"""What a probe finds: the one meter that matches, several, nobody."""


def wait_s(settings: LineSettings | None) -> float:
    """How long an answer may take to begin, in seconds: by the speed of a serial line, or through the network."""
    return NETWORK_WAIT_S if settings is None else answer_s(settings)


def reset(address: int, wait: float) -> Transaction:
    """SND_NKE: the meter forgets which telegram was its last; a selected one is selected no more."""
    return Transaction(bytes(Frame(SND_NKE, address)), acknowledged, wait)


def request(address: int, toggle: Toggle, wait: float, *, is_clean: bool = False) -> Transaction:
    """REQ_UD2: asks for the next telegram."""
    frame = Frame(toggle.control(REQ_UD2), address)
    # Whoever is selected answers under the one address: how fast the one before was says nothing.
    is_patient = address > HIGHEST_PRIMARY
    return Transaction(bytes(frame), answered_by(address, is_clean), wait, is_patient=is_patient)


def _select(mask: SecondaryAddress, wait: float, *, is_clean: bool = False) -> Transaction:
    frame = Frame(SND_UD | 0x20, SELECTED, SELECT, mask.raw)
    expect = acknowledged_cleanly if is_clean else acknowledged
    return Transaction(bytes(frame), expect, wait, is_patient=True)


def read(
    place: Place, wait: float, attempts: int = ATTEMPTS, most: int = MOST_TELEGRAMS
) -> Conversation[tuple[Telegram, ...]]:
    """All telegrams of a meter, or the first so many. Raises NoReply where nobody answers, WireError where what comes
    is no answer or that of another meter."""
    yield from _greeted(place, wait, attempts)
    try:
        telegrams = yield from _telegrams(place, wait, attempts, most)
    except (WireError, NoReply) as error:
        if place.selected is not None or not isinstance(error, NoReply):
            yield from _dismissed(place.address, wait)
        raise
    yield from _dismissed(place.address, wait)
    return telegrams


def _telegrams(place: Place, wait: float, attempts: int, most: int) -> Conversation[tuple[Telegram, ...]]:
    """What a meter says that was greeted."""
    toggle, telegrams = Toggle(), list[Telegram]()
    while len(telegrams) < most:
        frame = yield from retrying(request(place.address, toggle, wait), attempts)
        toggle.answered()
        telegram = decoded(frame)
        _check(place, telegram.header.address)
        if telegrams and _is_same(telegrams[-1], telegram):
            break  # the meter does not turn its frame count bit: it would say this for ever
        telegrams.append(telegram)
        if not telegram.has_more:
            break
    return tuple(telegrams)


def tell(place: Place, ci: int, data: bytes, wait: float, attempts: int = ATTEMPTS) -> Conversation[None]:
    """Sends a meter data. Raises NoReply where it does not acknowledge them."""
    yield from _greeted(place, wait, attempts)
    frame = Frame(SND_UD | 0x20, place.address, ci, data)
    try:
        yield from retrying(Transaction(bytes(frame), acknowledged, wait, is_patient=True), attempts)
    except (WireError, NoReply):
        if place.selected is not None:
            yield from deselect(wait)
        raise
    if place.selected is not None:
        yield from deselect(wait)


def deselect(wait: float) -> Conversation[None]:
    """Whoever is selected is so no more."""
    return _dismissed(SELECTED, wait)


def reset_application(place: Place, wait: float) -> Conversation[None]:
    """Has a meter begin anew with its first telegram."""
    return tell(place, RESET, b"", wait)


def change_speed(place: Place, baudrate: int, wait: float) -> Conversation[None]:
    """Tells a meter its speed in bits per second; it acknowledges at the old one. Raises OutOfRange before anything is
    sent."""
    if baudrate not in BAUD_RATES:
        raise OutOfRange(f"found {baudrate} bits per second, expected one of {', '.join(map(str, BAUD_RATES))}")
    return tell(place, BAUD_RATES[baudrate], b"", wait)


def change_primary(place: Place, address: int, wait: float) -> Conversation[None]:
    """Gives a meter another primary address. Raises OutOfRange before anything is sent."""
    if not 1 <= address <= HIGHEST_PRIMARY:
        raise OutOfRange(f"found primary address {address}, expected 1 … {HIGHEST_PRIMARY}")
    return tell(place, SEND, _PRIMARY_ADDRESS + bytes((address,)), wait)


def moved(place: Place, address: int, wait: float, character_s: float = 0.0) -> Conversation[SecondaryAddress | None]:
    """Gives a meter another primary address and asks it there; gives who it says it is. Raises OutOfRange where
    somebody else has that address, NoReply and WireError where the meter is not understood before, and NotConfirmed
    where it is not found there afterwards."""
    command = change_primary(place, address, wait)
    before = (yield from read(place, wait))[0].header.address
    there = yield from probe_primary(address, wait, character_s=character_s)
    yield from _dismissed(address, wait)
    if there is not None:
        if before is None or there != before:
            raise OutOfRange(f"somebody answers at primary address {address} already")
        return before
    with suppress(NoReply, WireError):  # it may have heard it all the same: what it says there decides
        yield from command
    try:
        after = (yield from read(Place(address), wait))[0].header.address
    except (NoReply, WireError) as error:
        raise NotConfirmed(f"at primary address {address}: {error}") from error
    if after != before:
        raise NotConfirmed(f"at primary address {address} answers {after}, expected {before}")
    return before


def probe(
    mask: SecondaryAddress, wait: float, attempts: int = PROBE_ATTEMPTS, character_s: float = 0.0
) -> Conversation[Outcome]:
    """Who matches a mask. Acknowledgements of several often merge into one: a meter is found once it has said who it
    is, alone, and matches. `character_s`: how long a character takes on the wire, as far as that is known."""
    found = yield from _probed(_select(mask, wait, is_clean=True), SELECTED, wait, attempts, character_s)
    if found is None or (isinstance(found, SecondaryAddress) and mask.matches(found)):
        return found
    return Crowd.COLLISION


def probe_primary(
    address: int, wait: float, attempts: int = PROBE_ATTEMPTS, character_s: float = 0.0
) -> Conversation[Outcome | Frame]:
    """Who is at a primary address; the frame itself where a meter answers that does not say who it is."""
    return _probed(reset(address, wait), address, wait, attempts, character_s)


def _probed(
    greeting: Transaction, address: int, wait: float, attempts: int, character_s: float
) -> Conversation[Outcome | Frame]:
    """Who acknowledges a greeting and then says who it is; one that only seems to do the first is greeted again.

    The slowest meter may begin when a quick one has ended. So the line is listened to as long as somebody may still
    speak: a second answer tells that there are two, and would be taken for the answer to the next probe.
    """
    for _ in range(PROBE_ATTEMPTS):
        try:
            yield from _until_heard(greeting, attempts)
        except NoReply:
            return None
        except WireError:
            yield from _is_somebody_heard(wait)
            return Crowd.COLLISION
        try:
            frame: Frame = yield request(address, Toggle(), wait, is_clean=True)
        except NoReply:
            continue
        except WireError:
            yield from _is_somebody_heard(wait)
            return Crowd.COLLISION
        if (yield from _is_somebody_heard(wait - len(bytes(frame)) * character_s)):
            return Crowd.COLLISION
        try:
            return address_of(frame) or frame
        except WireError:
            return frame
    return Crowd.COLLISION


def _is_somebody_heard(wait: float) -> Conversation[bool]:
    """Whether anybody begins to speak within that time; hears it to its end."""

    def heard(buffer: bytes, ended: bool) -> Need | None:
        return None if ended else Need(len(buffer) + 1)

    if wait > 0:
        try:
            yield Transaction(b"", heard, wait, is_patient=True)
        except NoReply:
            return False
        return True
    return False


def _until_heard(transaction: Transaction, attempts: int) -> Conversation[None]:
    """Tries again while nobody is heard; raises NoReply when nobody was, WireError at once."""
    for left in reversed(range(attempts)):
        try:
            yield transaction
        except NoReply:
            if not left:
                raise
        else:
            return


def _greeted(place: Place, wait: float, attempts: int) -> Conversation[None]:
    """Selects a meter, or resets it; one that does not acknowledge a reset may answer all the same."""
    if place.selected is not None:
        yield from retrying(_select(place.selected, wait), attempts)
        return
    try:
        yield reset(place.primary, wait)
    except (NoReply, Garbled, Unexpected):
        return


def _dismissed(address: int, wait: float) -> Conversation[None]:
    try:
        yield reset(address, wait)
    except (NoReply, Garbled, Unexpected, Refused):
        return


def _check(place: Place, address: SecondaryAddress | None) -> None:
    if place.selected is not None and address is not None and not place.selected.matches(address):
        raise Unexpected(f"{address} answered, expected {place.selected}")


def _is_same(before: Telegram, after: Telegram) -> bool:
    return (before.records, before.rest) == (after.records, after.rest)
