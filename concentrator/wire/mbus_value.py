"""The value information block of an M-Bus record: what its number means, from VIF and VIFE. Hides the extension tables,
texts in place of a code, and what each extension changes: the power of ten, a constant, the form, or a word more.

Source: EN 13757-3, 6.3 to 6.5.
"""

from __future__ import annotations

from attrs import define, evolve, field, frozen

from concentrator.model.errors import Garbled
from concentrator.wire.mbus_number import Bytes, Scale
from concentrator.wire.mbus_units import (
    FIRST_EXTENSION,
    MAIN,
    RECORD_ERRORS,
    SECOND_EXTENSION,
    VIFE_NOTES,
    Meaning,
)

_FIRST, _SECOND, _TEXT, _MAKERS_OWN = 0xFB, 0xFD, 0x7C, 0x7F
_LONGEST_TEXT = 64
_MOST_EXTENSIONS = 10
_SPANS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


@frozen
class ValueBlock:
    """A meaning with what was added to it; `scale`: how the number becomes one in its unit; `error`: what the meter
    says in place of a value, if so."""

    meaning: Meaning
    scale: Scale
    notes: tuple[str, ...] = ()
    error: str = ""


@define
class _Extended:
    """A meaning while its VIFE are read."""

    meaning: Meaning
    scale: Scale = field(init=False)
    notes: list[str] = field(factory=list)
    error: str = ""

    def __attrs_post_init__(self) -> None:
        self.scale = Scale(self.meaning.exponent, self.meaning.factor)

    def add(self, code: int) -> None:
        """What one VIFE says."""
        note = VIFE_NOTES.get(code, "")
        if 0x70 <= code <= 0x77:
            self.scale = self.scale.times_ten(code - 0x76)
        elif 0x78 <= code <= 0x7B:
            self.scale = self.scale.plus(code - 0x7B)
        elif code == 0x7D:
            self.scale = self.scale.times_ten(3)
        elif code in RECORD_ERRORS:
            self.error = RECORD_ERRORS[code]
        elif note:
            self.notes.append(note)
            if note.startswith(("date of", "start date")):
                self.meaning = evolve(self.meaning, unit="", form="date")
            elif note.startswith("duration of"):
                self._becomes("s", _SPANS[note.rpartition(", ")[2]])
            elif note.startswith("exceeds"):
                self._becomes("", 1)
        elif code:  # 00 says that nothing is wrong
            self.notes.append(f"VIFE {code:02X}")

    def _becomes(self, unit: str, factor: int) -> None:
        self.meaning, self.scale = evolve(self.meaning, unit=unit, form=""), Scale(0, factor)


def read_value_block(given: Bytes) -> ValueBlock:
    """The value information block that comes next; raises Garbled where it does not end as it must."""
    vif = given.whole(1)
    extension = vif
    if vif in (_FIRST, _SECOND):
        extension = given.whole(1)
        table = FIRST_EXTENSION if vif == _FIRST else SECOND_EXTENSION
        meaning = table.get(extension & 0x7F, Meaning(f"reserved VIF {vif:02X}{extension & 0x7F:02X}"))
    elif vif & 0x7F == _TEXT:
        meaning = Meaning(_text(given))
    else:
        meaning = MAIN.get(vif & 0x7F, Meaning(f"reserved VIF {vif & 0x7F:02X}"))
    extended = _Extended(meaning)
    is_makers_own = vif & 0x7F == _MAKERS_OWN
    count = 0
    while extension & 0x80:
        if count == _MOST_EXTENSIONS:
            raise Garbled(f"more than {_MOST_EXTENSIONS} VIFE", given.all)
        extension = given.whole(1)
        count += 1
        code = extension & 0x7F
        if is_makers_own:
            extended.notes.append(f"maker {code:02X}")
        elif code == _MAKERS_OWN:
            is_makers_own = True
        else:
            extended.add(code)
    return ValueBlock(extended.meaning, extended.scale, tuple(extended.notes), extended.error)


def _text(given: Bytes) -> str:
    """A meaning in words, its last character first."""
    length = given.whole(1)
    if length > _LONGEST_TEXT:
        raise Garbled(f"a VIF in words of {length} characters", given.all)
    words = given.take(length)[::-1].decode("latin-1")
    return "".join(each if each.isprintable() else "?" for each in words).strip() or "no words"
