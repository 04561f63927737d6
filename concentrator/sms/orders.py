"""The orders of the CMM365's table and their answers. Pure: what to do about an order, given how the genset is, and
what is answered when it was done.

Source: CMM365-2G manual, 6.2 (SMS Orders List). Each answer is one line with single spaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import frozen

from concentrator.model.genset import GensetStatus, Mode

ALARM = "GENSET ALARM"


class Order(StrEnum):
    """What can be ordered, as it is written: in capitals, and nothing else but blanks behind it."""

    GENSET = "SMS GENSET"
    START = "SMS START"
    STOP = "SMS STOP MODE"
    MANUAL = "SMS MANUAL MODE"
    TEST = "SMS TEST MODE"
    AUTO = "SMS AUTO MODE"
    DETAIL = "SMS DETAIL"


_MODES: Mapping[Order, tuple[str, str]] = {
    Order.STOP: ("stop", "SMS STOP OK"),
    Order.MANUAL: ("manual", "SMS MANUAL MODE OK"),
    Order.TEST: ("test", "SMS TEST MODE OK"),
    Order.AUTO: ("auto", "SMS AUTO MODE OK"),
}
_NOT_STARTED = {Mode.STOP: "STOP MODE NOT START", Mode.AUTO: "AUTO MODE NOT START"}
_STARTED = "SMS START OK"
_SAID = (Mode.STOP, Mode.MANUAL, Mode.TEST, Mode.AUTO)


@frozen
class Answer:
    """What is answered at once; `text` is empty where nothing is, for `reason`."""

    text: str
    reason: str = ""


@frozen
class Act:
    """A command for the controller, and what is answered once it has confirmed it."""

    command: str
    text: str


def order_of(text: str) -> Order | None:
    """The order that a message is, blanks behind it aside; None for any other text."""
    stripped = text.rstrip(" \r\n")
    return next((order for order in Order if order == stripped), None)


def needs_status(order: Order) -> bool:
    """Whether how the genset is decides about the order."""
    return order not in _MODES


def decided(order: Order, status: GensetStatus) -> Answer | Act:
    """What to do about an order but DETAIL."""
    if order in _MODES:
        return Act(*_MODES[order])
    if status.alarm.is_stopping:
        return Answer(ALARM)
    if status.mode not in _SAID:
        return Answer("", f"the controller's mode is {status.mode}")
    if order is Order.GENSET:
        return _standing(status)
    if status.mode in _NOT_STARTED:
        return Answer(_NOT_STARTED[status.mode])
    return Act("start", _STARTED)


def _standing(status: GensetStatus) -> Answer:
    if status.is_running is None:
        return Answer("", "whether the genset runs is not known")
    how = "IS RUNNING" if status.is_running else "AT REST"
    return Answer(f"SYSTEM IN {status.mode.upper()} MODE GENSET {how}")
