"""What of a genset's status tells that a command was followed. Hides which words of the status that is, and the
difference between "it did not" and "nobody can see it"."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from concentrator.model.genset import Alarm, GensetStatus, Mode


class Effect(StrEnum):
    """One thing that a followed command leads to, in the words of profile files (`leads_to`)."""

    STOP_MODE = "stop mode"
    AUTO_MODE = "auto mode"
    MANUAL_MODE = "manual mode"
    TEST_MODE = "test mode"
    RUNNING = "running"
    AT_REST = "at rest"
    ENGINE_MOVES = "engine moves"
    GEN_ON_LOAD = "generator on load"
    GEN_OFF_LOAD = "generator off load"
    GEN_SWITCHES = "generator breaker moves"
    MAINS_ON_LOAD = "mains on load"
    MAINS_OFF_LOAD = "mains off load"
    MAINS_SWITCHES = "mains breaker moves"
    NOT_STOPPED = "no trip or shutdown"

    def shows(self, before: GensetStatus, now: GensetStatus) -> bool | None:
        """Whether it is to be seen `now`, `before` being how it was; None where the controller does not tell."""
        if self in _MODES:
            return None if now.mode is Mode.UNKNOWN else now.mode in _MODES[self]
        if self is Effect.ENGINE_MOVES:
            return now.engine != before.engine if now.engine and before.engine else None
        if self is Effect.NOT_STOPPED:
            return None if now.alarm is Alarm.UNKNOWN else not now.alarm.is_stopping
        field, wanted = _FACTS[self]
        is_so: bool | None = getattr(now, field)
        was_so: bool | None = getattr(before, field)
        if wanted is None and was_so is not None:
            wanted = not was_so
        return None if is_so is None or wanted is None else is_so is wanted


_MODES = {
    Effect.STOP_MODE: (Mode.STOP, Mode.OFF),
    Effect.AUTO_MODE: (Mode.AUTO,),
    Effect.MANUAL_MODE: (Mode.MANUAL,),
    Effect.TEST_MODE: (Mode.TEST,),
}
_FACTS: dict[Effect, tuple[str, bool | None]] = {
    Effect.RUNNING: ("is_running", True),
    Effect.AT_REST: ("is_running", False),
    Effect.GEN_ON_LOAD: ("gen_on_load", True),
    Effect.GEN_OFF_LOAD: ("gen_on_load", False),
    Effect.GEN_SWITCHES: ("gen_on_load", None),
    Effect.MAINS_ON_LOAD: ("mains_on_load", True),
    Effect.MAINS_OFF_LOAD: ("mains_on_load", False),
    Effect.MAINS_SWITCHES: ("mains_on_load", None),
}
"""What of the status an effect is, and what it is then; None: other than it was."""

_STARTED = (Effect.RUNNING, Effect.ENGINE_MOVES)
_STOPPED = (Effect.AT_REST, Effect.ENGINE_MOVES)

EFFECTS: dict[str, tuple[Effect, ...]] = {
    "stop": (Effect.STOP_MODE,),
    "auto": (Effect.AUTO_MODE,),
    "auto_manual_restore": (Effect.AUTO_MODE,),
    "manual": (Effect.MANUAL_MODE,),
    "test": (Effect.TEST_MODE,),
    "start": _STARTED,
    "telemetry_start": _STARTED,
    "remote_start": _STARTED,
    "telemetry_stop": _STOPPED,
    "remote_stop": _STOPPED,
    "reset": (Effect.NOT_STOPPED,),
    "reset_button": (Effect.NOT_STOPPED,),
    "gen_breaker_toggle": (Effect.GEN_SWITCHES,),
    "gen_breaker_close": (Effect.GEN_ON_LOAD,),
    "gen_breaker_open": (Effect.GEN_OFF_LOAD,),
    "mains_breaker_toggle": (Effect.MAINS_SWITCHES,),
    "mains_breaker_close": (Effect.MAINS_ON_LOAD,),
    "mains_breaker_open": (Effect.MAINS_OFF_LOAD,),
    "transfer_to_gen": (Effect.GEN_ON_LOAD,),
    "transfer_to_mains": (Effect.MAINS_ON_LOAD,),
}
"""What the commands lead to by the names that profiles give them, any one of several; those that are not here (a
silenced horn) lead to nothing that a status shows."""


def followed(effects: Iterable[Effect], before: GensetStatus, now: GensetStatus) -> bool | None:
    """Whether one of the effects is to be seen; None where the controller tells nothing of any of them."""
    seen = [effect.shows(before, now) for effect in effects]
    if True in seen:
        return True
    return False if False in seen else None
