"""The words in which everybody speaks of a genset, whatever its controller calls them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import field, frozen

from concentrator.model.reading import Value


class Mode(StrEnum):
    """What the controller was told to do by itself."""

    STOP = "stop"
    MANUAL = "manual"
    TEST = "test"
    AUTO = "auto"
    OFF = "off"
    UNKNOWN = "unknown"


class Alarm(StrEnum):
    """The worst that is wrong. warning: it goes on; trip: its breaker opened; shutdown: the engine was stopped;
    unknown: nobody can tell."""

    NONE = "none"
    WARNING = "warning"
    TRIP = "trip"
    SHUTDOWN = "shutdown"
    UNKNOWN = "unknown"

    @property
    def is_stopping(self) -> bool:
        """Whether it takes the genset from its work."""
        return self in (Alarm.TRIP, Alarm.SHUTDOWN)


@frozen
class GensetStatus:
    """How a genset is, as far as its newest values tell; None is not known, or that the controller has no such thing.

    `engine` is the controller's own word for what the engine does; `alarms` are the names of what is wrong now;
    `details` are the measured values by canonical name, those of SMS DETAIL among them (CMM365-2G manual, 6.2), and
    `units` their units.
    """

    mode: Mode = Mode.UNKNOWN
    is_running: bool | None = None
    alarm: Alarm = Alarm.UNKNOWN
    mains_ok: bool | None = None
    mains_on_load: bool | None = None
    gen_on_load: bool | None = None
    engine: str = ""
    alarms: tuple[str, ...] = ()
    details: Mapping[str, Value] = field(factory=dict)
    units: Mapping[str, str] = field(factory=dict)
