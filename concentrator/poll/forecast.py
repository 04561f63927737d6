"""What a line can keep: how much of its time the wanted reads take, and how often each can really be made. Pure
arithmetic on blocks, line settings and wanted periods; it asks no device and assumes one that answers as most do. What
a read of an M-Bus meter takes is guessed, for only the meter knows how much it says."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from concentrator.model.profile import Block
from concentrator.wire.conversation import LineSettings
from concentrator.wire.modbus import rtu_silence_s

TURNAROUND_S = 0.010
"""How long a device is taken to think before it answers, in seconds; the way there and back on a network."""

_REQUEST_CHARACTERS = 8  # Modbus over Serial Line V1.02, 2.5.1: address, function, 4 bytes, CRC
_REPLY_CHARACTERS = 5  # address, function, byte count, CRC

TELEGRAM_CHARACTERS = 100
"""How long a meter's answer is taken to be: the mean of the 35 real telegrams this program is tested with."""
_GREETING, _SELECTION, _ACKNOWLEDGE = 5, 17, 1  # EN 13757-2, 5.4: short frame, long frame, single character
_LATEST_BITS = 330  # EN 13757-2, 4.3: how late a meter may begin its answer, less 50 ms


@frozen
class Wanted:
    """A read that is wanted: whose it is, its block, every how many seconds, and how long the wire rests after it;
    `cost_s`: the seconds it holds the wire, where its block does not tell."""

    owner: str
    block: Block
    period_s: float
    pause_s: float = 0.0
    cost_s: float | None = None


@frozen
class Kept:
    """A wanted read, the wire's time it takes and the period it can be made with, in seconds."""

    wanted: Wanted
    cost_s: float
    period_s: float


@frozen
class Forecast:
    """What becomes of one line's reads. `utilisation`: the share of the wire's time that all of them take with the
    periods wanted; beyond 1 they cannot be kept."""

    utilisation: float
    reads: tuple[Kept, ...]


def transaction_s(block: Block, settings: LineSettings | None, pause_s: float = 0.0) -> float:
    """Seconds one read of a block holds the wire, the silence after it included; `settings` are None on a network,
    where characters take no time."""
    if settings is None:
        return TURNAROUND_S + pause_s
    content = -(-block.count // 8) if block.function.is_bits else 2 * block.count
    characters = _REQUEST_CHARACTERS + _REPLY_CHARACTERS + content
    return characters * settings.character_s + TURNAROUND_S + rtu_silence_s(settings) + pause_s


def session_s(settings: LineSettings, *, is_selected: bool) -> float:
    """Seconds one read of an M-Bus meter holds the wire: greeted or selected, asked for one telegram, and dismissed. It
    is taken to begin each of its three answers after half the time it may take."""
    greeting = _SELECTION if is_selected else _GREETING
    said = greeting + _ACKNOWLEDGE + _GREETING + TELEGRAM_CHARACTERS + _GREETING + _ACKNOWLEDGE
    turnaround_s = (_LATEST_BITS / settings.baudrate + 0.05) / 2
    return said * settings.character_s + 3 * (turnaround_s + 11 / settings.baudrate)


def forecast(reads: Iterable[Wanted], settings: LineSettings | None) -> Forecast:
    """What the line can keep of the reads wanted. On one that is asked for more than it can, every period grows by the
    same share, which is what the schedule sees to."""
    costs = [(each, _cost_s(each, settings)) for each in reads]
    utilisation = sum(cost_s / wanted.period_s for wanted, cost_s in costs)
    stretch = max(1.0, utilisation)
    return Forecast(utilisation, tuple(Kept(wanted, cost_s, wanted.period_s * stretch) for wanted, cost_s in costs))


def _cost_s(wanted: Wanted, settings: LineSettings | None) -> float:
    if wanted.cost_s is not None:
        return wanted.cost_s
    return transaction_s(wanted.block, settings, wanted.pause_s)
