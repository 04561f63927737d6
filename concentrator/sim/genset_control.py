"""The controller of a simulated genset, as its profile lays it out: what is written to it becomes an order to the
genset, what the genset does becomes its states. Hides pulses, keys, results and the word for "on"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, field

from concentrator.model.genset import Mode
from concentrator.model.genset_rules import GensetRules
from concentrator.model.profile import Command, DeviceProfile, Function
from concentrator.model.reading import Value
from concentrator.sim.genset import Genset
from concentrator.sim.genset_states import has_mode, states
from concentrator.sim.slave import Refusal, framed

UNKNOWN_KEY = 7
"""The exception with which GenComm answers a key that it does not know."""
REFUSED = 2
"""What a ComAp controller gives as the result of a command that it refuses."""
_COIL_ON, _OTHER_ON = 0xFF00, 0xFFFF
_WRITE_COIL = 5


@define(eq=False)
class GensetControl:
    """A controller with its genset. `wants_other_word`: it acts on FFFF only, as one paper says of the HSC940, and
    acknowledges FF00 without acting."""

    profile: DeviceProfile
    genset: Genset
    wants_other_word: bool = False
    _rules: GensetRules = field(init=False)
    _coils: dict[int, bool] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        assert self.profile.genset is not None, "a genset's profile has a status"
        self._rules = self.profile.genset
        self.genset.has_stop_mode = has_mode(self._rules, Mode.STOP)

    @property
    def is_taciturn(self) -> bool:
        """Whether it leaves unanswered what it does not know, as SmartGen's do."""
        return self.profile.brand == "SmartGen"

    def shown(self, at: float) -> Mapping[str, Value]:
        """All that it shows of the genset at `at` (UTC seconds), by the names of variables."""
        values = self.genset.values(at)
        return {**values, **states(self._rules, self.genset)}

    def write(self, function: Function, address: int, values: Sequence[int], at: float) -> Mapping[int, int] | None:
        """Takes what is written, where it is an order; gives the registers that hold something else afterwards, None
        where it is none. Raises Refusal."""
        if function is Function.COIL:
            return self._coil(address, _COIL_ON if values[0] else 0, at) if len(values) == 1 else None
        for command in self.profile.commands:
            if (command.function, command.address, command.values) == (function, address, tuple(values)):
                return self._result(command, self.genset.order(command.name, at))
        if address == self.profile.settings.get("key_register"):
            raise Refusal(UNKNOWN_KEY)
        return None

    def other_word(self, frame: bytes, at: float) -> bytes | None:
        """Its reply to a coil written with the other word for "on", where it knows that."""
        address, word = int.from_bytes(frame[2:4]), int.from_bytes(frame[4:6])
        known = self.profile.settings.get("coil_on_value_fallback")
        if frame[1] != _WRITE_COIL or word != known or self._coil(address, word, at) is None:
            return None
        return framed(frame[0], frame[1:-2])

    def _coil(self, address: int, word: int, at: float) -> Mapping[int, int] | None:
        here = [each for each in self.profile.commands if (each.function, each.address) == (Function.COIL, address)]
        if not here:
            return None
        was_on, self._coils[address] = self._coils.get(address, False), bool(word)
        if word == _COIL_ON and self.wants_other_word:
            return {}
        for command in here[:1] if word else [each for each in here if each.values == (0,)]:
            if command.pulse_ms is None or not was_on:
                self.genset.order(command.name, at)
        return {}

    def _result(self, command: Command, is_done: bool) -> Mapping[int, int]:
        if command.result_address is None:
            return {}
        result = (command.result_ok or 0) if is_done else REFUSED
        return {command.result_address: result >> 16, command.result_address + 1: result & 0xFFFF}
