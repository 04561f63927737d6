"""Forms over the configuration: a table of keys becomes a form with what the file has, and what was typed becomes a
change of it. Hides the two actions under it, how text and values become each other, which field a fault belongs to and
how it is said in the visitor's language, that secrets are remembered where a page comes back, and what happens when
somebody else changed the same page meanwhile."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, cast

from attrs import define, field, frozen

from concentrator.actions.certificates import LONGEST
from concentrator.actions.table import Caller, Permission
from concentrator.model.errors import CommandError, ConfigError, Fault, WrongArguments
from concentrator.portal.house import House
from concentrator.portal.numbers import moment
from concentrator.portal.words import Say
from concentrator.web.access import Role
from concentrator.web.forms import Entry, Field, Form
from concentrator.web.route import Visit

_DIGITS_MOST = 18
WAS = "was"
"""The name of the field that has what stood in the others when the page was drawn, as marks."""


@frozen
class Key:
    """A field that stands for a key of a section. `words` is where its label is in the words, beside it `…_hint` and
    the labels of its choices, where they have any; `also` are keys whose faults are shown here too. An empty field
    takes the key out, but where `is_empty_told`."""

    section: str
    key: str
    words: str
    entry: Entry = Entry.TEXT
    choices: Sequence[str] = ()
    also: Sequence[str] = ()
    usual: str = ""
    is_whole: bool = False
    is_empty_told: bool = False

    @property
    def name(self) -> str:
        """The field's name."""
        return f"{self.section.replace('.', '-')}-{self.key}"

    @property
    def place(self) -> str:
        """The key with its section, as answers of the box name it."""
        return f"{self.section}.{self.key}"

    def text(self, value: object) -> str:
        """What stands in the field for a value of the file; None is one that is not there."""
        if isinstance(value, bool):
            return "on" if value else ""
        if isinstance(value, list):
            return " ".join(map(str, value))
        return "" if value is None else str(value)

    def value(self, text: str) -> Any:
        """The value for the file of what stands in the field; None takes the key out."""
        if self.entry is Entry.TICK:
            return text == "on"
        if self.entry is Entry.TICKS:
            return text.split()
        if not text and not self.is_empty_told:
            return None
        return whole_or_text(text) if self.is_whole else text


@frozen
class Listed(Key):
    """A list, its items typed one after the other; of numbers where it is whole. An item that should be a number and is
    none stays as it was typed, for the rule to refuse."""

    def value(self, text: str) -> Any:
        """The items; None, which takes the key out, for none."""
        items = [each for each in re.split(r"[\s,;]+", text) if each]
        return [whole_or_text(each) if self.is_whole else each for each in items] or None


Groups = Sequence[tuple[str, tuple[Key, ...]]]
"""The keys of a page in groups, each with the key of its title in the words, empty where it has none."""


@define(eq=False)
class ConfigPage:
    """A page of keys for one visitor: the form, and whether he may save it. `other` says that somebody else saved
    meanwhile; the form is then to be shown again, and counts as seen."""

    house: House
    visit: Visit
    keys: Sequence[Key]
    form: Form
    other: str = ""
    _changed: Mapping[str, Mapping[str, str]] = field(factory=dict)
    _taken_out: frozenset[str] = frozenset()

    @property
    def may_save(self) -> bool:
        """Whether the visitor's role may change what is here."""
        return self.visit.may(Role.INSTALLER)

    @property
    def was(self) -> str:
        """What the page is drawn with, for the field of that name."""
        return json.dumps({each.name: _mark(each.value) for each in self.form.fields})

    async def take(self) -> None:
        """Takes in what was sent: text, secrets, and files, which the box keeps from now on."""
        visit, form = self.visit, self.form
        was = _marks(visit.form.get(WAS, ""))
        form.take(visit.form)
        self._remember_secrets()
        for each in form.fields:
            if each.entry is Entry.FILE and visit.files.get(each.file_name):
                await self._keep_file(each, visit.files[each.file_name][-1].content)
        self._meet_others(was)

    def changes(self) -> dict[str, dict[str, Any]]:
        """What was typed, as `config.set` takes it. Where a section changes, it is said whether it is on, for one that
        is not there is off, and one that is there without a word is on."""
        typed, found = self.form.changes(), dict[str, dict[str, Any]]()
        for key in self.keys:
            if key.name in typed:
                found.setdefault(key.section, {})[key.key] = key.value(typed[key.name])
                if key.entry is Entry.SECRET:
                    found[key.section] |= {
                        other: None for other in key.also if f"{key.section}.{other}" in self._taken_out
                    }
        for key in self.keys:
            if key.key == "enabled" and key.section in found:
                found[key.section].setdefault("enabled", self.form.is_on(key.name))
        return found

    async def save(self) -> bool:
        """Changes the configuration; False where nothing was saved and the form says why."""
        say, changes = self.house.say(self.visit), self.changes()
        if self.other or not self.form.is_right:
            return False
        if changes:
            try:
                answer = cast(dict[str, Any], await self.house.ask(self.visit, "config.set", changes=changes))
            except (ConfigError, CommandError) as error:
                self.refuse(error)
                return False
            waiting = [self.form.field(key.name).label for key in self.keys if key.place in answer["restart"]]
        else:
            waiting = []
        self.forget_secrets()
        sources = self.house.sources
        now = sources.wall.now()
        said = say("form.saved", t=moment(now, now, sources.zone)) if changes else say("form.unchanged")
        if waiting:
            said = f"{said} {say('form.restart', keys=', '.join(waiting))}"
        self.house.note(self.visit, said)
        return True

    def refuse(self, error: ConfigError | CommandError) -> None:
        """Puts what speaks against the change beside its fields."""
        if isinstance(error, ConfigError):
            for fault in error.faults:
                self._fault(fault)
        else:
            self.form.fault("", error.sentence)

    def forget_secrets(self) -> None:
        """Lets go of the secrets that were typed and not saved."""
        if self.visit.session is not None:
            self.visit.session.saved.pop(self._typed_at, None)

    # -- faults

    def _fault(self, fault: Fault) -> None:
        said = fault_said(fault, self.house.say(self.visit))
        for each in self.keys:
            if each.section == fault.section and fault.key in (each.key, *each.also):
                self.form.fault(each.name, f"{self.form.field(each.name).label}: {said}")
                return
        place = f"[{fault.section}] {fault.key}".strip() if fault.section else fault.file
        self.form.fault("", f"{place}: {said}")

    # -- secrets and files

    @property
    def _typed_at(self) -> str:
        return f"typed:{self.visit.path}"

    def _remember_secrets(self) -> None:
        """A secret that was typed before, on this page that came back, stands where none is typed now."""
        session = self.visit.session
        assert session is not None, "nobody comes here who has not signed in"
        kept = cast(dict[str, str], session.saved.get(self._typed_at, {}))
        for each in self.form.fields:
            if each.entry is Entry.SECRET:
                self.form.typed[each.name] = self.form.typed.get(each.name) or kept.get(each.name, "")
                kept = {**kept, each.name: self.form.typed[each.name]}
        session.saved[self._typed_at] = kept
        self.form.kept = frozenset(name for name, typed in kept.items() if typed)

    async def _keep_file(self, to: Field, content: bytes) -> None:
        say = self.house.say(self.visit)
        if len(content) > LONGEST:
            self.form.fault(to.name, f"{to.label}: {say('fault.too_long', most=LONGEST // 1024)}")
            return
        try:
            pem, name = content.decode("ascii", "replace"), to.name.replace("_", "-").lower()
            kept = cast(dict[str, str], await self.house.ask(self.visit, "certificate.put", name=name, pem=pem))
        except WrongArguments:
            self.form.fault(to.name, f"{to.label}: {say('fault.certificate')}")
        else:
            self.form.typed[to.name] = kept["file"]

    # -- others

    def _meet_others(self, was: Mapping[str, str]) -> None:
        """Of fields that somebody else changed since the page was drawn: what was not touched here is theirs now,
        beside what was touched stands what they saved."""
        say, form = self.house.say(self.visit), self.form
        changed = [each for each in form.fields if was.get(each.name, _mark(each.value)) != _mark(each.value)]
        for each in changed:
            typed = form.typed.get(each.name, each.value)
            if typed == each.value:
                continue
            shown = self._shown(each) or say("form.nothing")
            if _mark(typed) == was[each.name]:
                del form.typed[each.name]
                form.theirs[each.name] = say("form.theirs_now")
            else:
                form.theirs[each.name] = say("form.theirs", value=shown)
        if form.theirs:
            sections = {each.section for each in self.keys if each.name in form.theirs}
            told = next((self._changed[section] for section in sections if section in self._changed), None)
            self.other = say("form.other_unknown")
            if told is not None:
                sources = self.house.sources
                at = moment(datetime.fromisoformat(told["at"]).timestamp(), sources.wall.now(), sources.zone)
                self.other = say("form.other", user=told["by"], t=at)

    def _shown(self, each: Field) -> str:
        say = self.house.say(self.visit)
        if each.entry is Entry.TICK:
            return say("form.on") if each.value else say("form.off")
        return dict(each.choices).get(each.value, each.value)


def whole_or_text(text: str) -> int | str:
    """The whole number that was typed; what is none, or longer than any that is meant, as it was typed."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= _DIGITS_MOST else text


def keys_of(groups: Groups) -> list[Key]:
    """All keys of a page."""
    return [key for _, keys in groups for key in keys]


def grouped(page: ConfigPage, groups: Groups) -> list[tuple[str, list[object]]]:
    """The fields of a page in its groups, each under its title in words."""
    say = page.house.say(page.visit)
    return [(say(title) if title else "", [page.form.field(key.name) for key in keys]) for title, keys in groups]


async def sections_of(house: House) -> Mapping[str, Mapping[str, Any]]:
    """The settings by section, for a page only: whoever may see it may see what of them stands there."""
    reader = Caller("portal", frozenset({Permission.CONFIG}))
    told = cast(dict[str, Any], await house.table.call("config.get", {}, reader))
    return cast(Mapping[str, Mapping[str, Any]], told["values"])


def fault_said(fault: Fault, say: Say) -> str:
    """What is wrong, without where."""
    values = {"found": fault.found, "expected": fault.expected, **fault.terms}
    said = ""
    # The nearest words: of the rule, where its limits fit; of any rule with limits; what the rule says itself.
    for name in (fault.rule, "range", "other"):
        with suppress(KeyError):
            said = said or say(f"fault.{name}", **values)
    return f"{said} {say('fault.hint', hint=fault.hint)}" if fault.hint else said


async def config_page(house: House, visit: Visit, keys: Sequence[Key]) -> ConfigPage:
    """The page of these keys with what the file has. Raises Unknown where one of the sections is not there, ConfigError
    for a file that cannot be read."""
    # Whoever may see the page may see what stands in it, without its secrets: the action tells none.
    name = visit.session.user if visit.session is not None else ""
    reader = Caller(name, frozenset({Permission.READ, Permission.CONFIG}))
    values: dict[str, Mapping[str, Any]] = {}
    secrets: set[str] = set()
    changed: dict[str, Mapping[str, str]] = {}
    for section in dict.fromkeys(key.section for key in keys):
        answer = cast(dict[str, Any], await house.table.call("config.get", {"section": section}, reader))
        values[section] = answer["values"][section]
        secrets |= set(answer["secrets"])
        changed |= answer["changed"]
    # A password may stand in a file of its own, which is as good.
    elsewhere = {f"{place}.{other}" for place, table in values.items() for other, value in table.items() if value}
    fields = [_field(house, visit, key, values[key.section].get(key.key), secrets | elsewhere) for key in keys]
    page = ConfigPage(house, visit, keys, Form(fields), changed=changed, taken_out=frozenset(elsewhere))
    if visit.request.method == b"GET":
        page.forget_secrets()
        if typed := house.typed(visit):
            page.form.take(typed)
            house.note(visit, house.say(visit)("form.resumed"))
    return page


def _field(house: House, visit: Visit, key: Key, value: object, there: set[str]) -> Field:
    say = house.say(visit)

    def word(name: str, default: str = "") -> str:
        try:
            return say(name)
        except KeyError:
            return default

    is_secret = key.entry is Entry.SECRET
    text = "" if is_secret else key.text(value)
    # The file may say it in other words, such as "60 s": what is not touched is not changed.
    besides = [text] if key.entry is Entry.CHOICE and text not in key.choices else []
    return Field(
        key.name,
        say(key.words),
        key.entry,
        text,
        hint=word(f"{key.words}_hint"),
        choices=[(each, word(f"{key.words}_{each}", each.replace("_", " "))) for each in [*besides, *key.choices]],
        is_set=is_secret and any(f"{key.section}.{each}" in there for each in (key.key, *key.also)),
        autocomplete="new-password" if is_secret else "off",
        usual=key.usual,
    )


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _marks(sent: str) -> Mapping[str, str]:
    """The marks that came back with a page; none where they are damaged."""
    try:
        found = json.loads(sent)
    except ValueError:
        return {}
    return {str(name): str(mark) for name, mark in found.items()} if isinstance(found, dict) else {}
