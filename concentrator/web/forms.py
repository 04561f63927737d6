"""Forms as data: what is asked, what was typed, and what is wrong with it. Hides the ways of a browser (a box that is
not ticked sends nothing, a list is text) and keeps what was typed exactly, secrets excepted, until it is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from attrs import define, field, frozen


class Entry(StrEnum):
    """How a field is filled in. Of TICKS, a box for each choice, the value is the chosen ones with a space between. The
    value of a FILE is what the box calls the one it has; another one is chosen under the name `file_name` gives."""

    TEXT = "text"
    NUMBER = "number"
    SECRET = "secret"
    TICK = "tick"
    TICKS = "ticks"
    CHOICE = "choice"
    LONG = "long"
    FILE = "file"


@frozen
class Field:
    """A field: its name, its label and hint (words, already in the visitor's language), and what it begins with.
    `choices` are (value, label); `suffix` is a unit that stands behind the box; `usual` stands greyed in an empty one;
    `autocomplete` is what the browser may fill in, as HTML names it."""

    name: str
    label: str
    entry: Entry = Entry.TEXT
    value: str = ""
    hint: str = ""
    choices: Sequence[tuple[str, str]] = ()
    suffix: str = ""
    is_required: bool = False
    is_set: bool = False
    autocomplete: str = "off"
    most: int = 1000
    usual: str = ""

    @property
    def file_name(self) -> str:
        """The name under which a browser sends the chosen file."""
        return f"{self.name}-file"

    def tick_name(self, choice: str) -> str:
        """The name of the box of one choice."""
        return f"{self.name}-{choice}"


@define
class Form:
    """The fields of a page with what stands in them now, and the faults found: field name → sentence. A fault under
    the empty name is the whole form's. `theirs`: field name → what somebody else saved there meanwhile, in words;
    `kept`: the names of secrets that were typed before and are remembered."""

    fields: Sequence[Field]
    typed: dict[str, str] = field(factory=dict)
    faults: dict[str, str] = field(factory=dict)
    theirs: dict[str, str] = field(factory=dict)
    kept: frozenset[str] = frozenset()

    def take(self, sent: Mapping[str, str]) -> Form:
        """Takes in what was sent. Of a field that is not there what stands in it remains; a tick that is not there
        was taken away."""
        for each in self.fields:
            if each.entry is Entry.TICK:
                self.typed[each.name] = "on" if each.name in sent else ""
            elif each.entry is Entry.TICKS:
                chosen = [value for value, _ in each.choices if each.tick_name(value) in sent]
                self.typed[each.name] = " ".join(chosen)
            elif each.entry is Entry.FILE and each.tick_name("none") in sent:
                self.typed[each.name] = ""
            elif each.name in sent:
                said = sent[each.name].replace("\r\n", "\n")
                self.typed[each.name] = said if each.entry in (Entry.SECRET, Entry.LONG) else said.strip()
        return self

    def field(self, name: str) -> Field:
        """The field of a name."""
        return next(each for each in self.fields if each.name == name)

    def value(self, name: str) -> str:
        """What stands in a field: as it was typed, or as it began."""
        return self.typed[name] if name in self.typed else self.field(name).value

    def is_on(self, name: str) -> bool:
        """Whether a box is ticked."""
        return self.value(name) == "on"

    def has(self, name: str, choice: str) -> bool:
        """Whether the box of one of several choices is ticked."""
        return choice in self.value(name).split()

    def shown(self, name: str) -> str:
        """What is drawn in a field: a secret never is."""
        return "" if self.field(name).entry is Entry.SECRET else self.value(name)

    def fault(self, name: str, sentence: str) -> None:
        """Notes what is wrong with a field, unless something is already."""
        self.faults.setdefault(name, sentence)

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def changes(self) -> dict[str, str]:
        """The fields in which something else was typed than they began with; secrets only where something was."""
        return {
            each.name: typed
            for each in self.fields
            if (typed := self.typed.get(each.name)) is not None
            and (bool(typed) if each.entry is Entry.SECRET else typed != each.value)
        }
