"""Add External: one device in two minutes. Its address carries all that was chosen so far, so that every step can be
gone back to, and without scripts too; only what is sent by its form does anything. Hides that a level with a single
choice fills itself, and that what was detected is kept for the page that is shown next."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from attrs import evolve, frozen

from concentrator.actions.catalogue import LEVELS
from concentrator.api import LineState
from concentrator.line.serial_address import parse_serial
from concentrator.model.errors import ConcentratorError, NoReply
from concentrator.portal.addresses import RESERVED
from concentrator.portal.cells import Cell
from concentrator.portal.detected import Detected, detected_of, identified_of
from concentrator.portal.house import House
from concentrator.portal.numbers import GAP, clock_time
from concentrator.portal.places import free_ids, id_of, place_fault
from concentrator.portal.words import Say
from concentrator.web.access import Role
from concentrator.web.forms import Entry, Field, Form
from concentrator.web.route import Reply, Route, Visit, see_other

HERE = "/devices/add"
IDENTIFIED_TOPIC = ":identify."
HITS = 12


@frozen
class Choice:
    """What was chosen so far: a line, a profile, or the levels that lead to one, what is searched for, and what stands
    in the last step's fields."""

    port: str = ""
    profile: str = ""
    levels: tuple[str, ...] = ("",) * len(LEVELS)
    q: str = ""
    id: str = ""
    alias: str = ""
    task: str = ""

    def address(self, **others: Any) -> str:
        """The page with this chosen, and `others` in place of their own."""
        each = evolve(self, **others)
        known = {"port": each.port, "profile": each.profile, "id": each.id, "alias": each.alias, "task": each.task}
        known |= {"q": each.q} | dict(zip(LEVELS, each.levels, strict=True))
        return f"{HERE}?{urlencode({key: value for key, value in known.items() if value})}"

    def without(self, level: int) -> str:
        """The page with a level, and those below it, to be chosen again."""
        kept = tuple(value if place < level else "" for place, value in enumerate(self.levels))
        return self.address(profile="", levels=kept, q="", task="")


def add_routes(house: House) -> Iterator[Route]:
    """`/devices/add`, and the hits of its search for the page's script."""

    async def page(visit: Visit) -> Reply:
        choice = await filled(visit, choice_of(visit.query, house.sources.lines()))
        return await drawn(visit, choice, await form_of(visit, choice))

    async def filled(visit: Visit, choice: Choice) -> Choice:
        """The choice with its levels from the profile that was hit, and single choices made."""
        if choice.profile:
            try:
                told: Any = await house.ask(visit, "catalogue.get", profile=choice.profile)
            except ConcentratorError:
                return evolve(choice, profile="")
            model = choice.levels[-1] if choice.levels[-1] in told["models"] else told["models"][0]
            return evolve(choice, levels=(*(told[level] for level in LEVELS[:-1]), model))
        while True:
            next_ = await next_of(visit, choice)
            if len(next_["choices"]) != 1:
                return evolve(choice, profile=next_["profile"])
            place = LEVELS.index(next_["level"])
            levels = (*choice.levels[:place], next_["choices"][0], *choice.levels[place + 1 :])
            choice = evolve(choice, levels=levels)

    async def next_of(visit: Visit, choice: Choice) -> Any:
        return await house.ask(visit, "catalogue.choices", **dict(zip(LEVELS, choice.levels, strict=True)))

    async def drawn(visit: Visit, choice: Choice, form: Form) -> Reply:
        say, language = house.say(visit), visit.language
        hits: Any = {"count": 0, "hits": []}
        if choice.q:
            hits = await house.ask(visit, "catalogue.search", text=choice.q, limit=HITS)
        profile: Any = None
        if choice.profile:
            profile = await house.ask(visit, "catalogue.get", profile=choice.profile)
        line = next((line for line in house.sources.lines() if line.name == choice.port), None)
        cells: Mapping[str, Cell] | None = None
        kept = visit.session.saved.pop("detected", None) if visit.session else None
        detected = kept if isinstance(kept, Detected) else None
        if choice.task:
            cells = house.of_topic(IDENTIFIED_TOPIC + choice.task, language)
            task: Any = house.look("task.get", id=choice.task)
            if task is not None and task["state"] != "running":
                detected = identified_of(task, say, language)
        return house.draw(
            visit,
            "add.html",
            cells,
            choice=choice,
            form=form,
            lines=[line.name for line in house.sources.lines()],
            levels=list(
                zip(LEVELS, choice.levels, [choice.without(place) for place in range(len(LEVELS))], strict=True)
            ),
            next=await next_of(visit, choice),
            hits=[(hit, choice.address(profile=hit["profile"], levels=_model(hit), q="")) for hit in hits["hits"]],
            count=hits["count"],
            profile=profile,
            facts=_facts(profile, line, say),
            detected=detected,
            proposals=_proposals(detected, choice),
            is_asking=choice.task and detected is None and cells is not None,
            topic=IDENTIFIED_TOPIC + choice.task if choice.task and cells is not None else "",
            here=HERE,
        )

    async def form_of(visit: Visit, choice: Choice) -> Form:
        say, id = house.say(visit), choice.id
        if not id:
            free = free_ids(house.sources.devices(), choice.port)
            profile: Any = await house.ask(visit, "catalogue.get", profile=choice.profile) if choice.profile else {}
            factory = profile.get("default_id")
            id = str(factory if factory in free or not free else free[0])
        fields = [
            Field("id", say("add.id"), Entry.NUMBER, id, most=3, is_required=True),
            Field("alias", say("add.alias"), value=choice.alias, hint=say("conf.alias_hint"), most=64),
        ]
        return Form(fields)

    async def post(visit: Visit) -> Reply:
        sent = {name: [value] for name, value in visit.form.items()}
        choice = await filled(visit, choice_of(sent, house.sources.lines()))
        say = house.say(visit)
        form = (await form_of(visit, choice)).take(visit.form)
        choice = evolve(choice, id=form.value("id"), alias=form.value("alias"), task="")
        unit = id_of(form.value("id"), form, "id", say)
        if form.is_right:
            form.faults |= place_fault("id", house.sources.devices(), choice.port, unit, say)
        is_saved = visit.form.get("do") == "save"
        if is_saved and not choice.profile:
            form.fault("", say("add.missing_choice"))
        if not form.is_right or unit is None:
            return await drawn(visit, choice, form)
        return await (saved if is_saved else detect)(visit, choice, form, unit)

    async def detect(visit: Visit, choice: Choice, form: Form, unit: int) -> Reply:
        """Asks who is at the ID: whether it is what was chosen, or, where nothing was, who it is."""
        say = house.say(visit)
        try:
            if not choice.profile:
                begun: Any = await house.ask(visit, "device.identify", line=choice.port, address=unit)
                return see_other(choice.address(task=begun["task"]))
            told: Any = await house.ask(visit, "device.probe", line=choice.port, profile=choice.profile, address=unit)
            found = detected_of(told, choice.levels[-1], say, visit.language)
        except ConcentratorError as error:
            found = _undetected(error, unit, _line(house, choice.port), say)
        if visit.session is not None:
            visit.session.saved["detected"] = found
        return see_other(choice.address() + "#detected")

    async def saved(visit: Visit, choice: Choice, form: Form, unit: int) -> Reply:
        say, alias = house.say(visit), form.value("alias")
        there = {state.uid for state in house.sources.devices()}
        uid = new_uid(alias or f"{choice.profile.partition('/')[2]}-{unit}", there)
        try:
            await house.ask(
                visit, "device.add", uid=uid, line=choice.port, profile=choice.profile, address=unit, alias=alias
            )
        except ConcentratorError as error:
            form.fault("", error.sentence)
            return await drawn(visit, choice, form)
        at = clock_time(house.sources.wall.now(), house.sources.zone)[:5]
        house.note(visit, say("add.saved", name=alias or uid, t=at))
        return see_other("/devices/external" if choice.levels[0] != "meter" else "/devices")

    async def hits(visit: Visit) -> Reply:
        """The hits of what is being typed, each with the page that has it chosen."""
        choice = choice_of(visit.query, house.sources.lines())
        found: Any = await house.ask(visit, "catalogue.search", text=choice.q, limit=HITS)
        told = [
            {
                "text": " ".join((hit["brand"], hit["series"], hit["model"])),
                "more": f"{hit['class']} · {hit['type']}",
                "href": choice.address(profile=hit["profile"], levels=_model(hit), q="", task=""),
            }
            for hit in found["hits"]
        ]
        say = house.say(visit)
        body = {"count": found["count"], "hits": told, "said": said_count(found["count"], choice.q, say)}
        return Reply(json.dumps(body, ensure_ascii=False).encode(), content_type="application/json")

    def identified(id: str, language: str) -> Mapping[str, Cell] | None:
        """How far an identification is, for the page that waits for it."""
        task: Any = house.look("task.get", id=id)
        if task is None:
            return None
        return {
            ":task": {"text": f"{int(100 * task['progress'])}{GAP}%"},
            ":task.state": {"text": task["state"]},
        }

    house.topics[IDENTIFIED_TOPIC] = identified
    yield Route(HERE, Role.INSTALLER, page, post)
    yield Route(f"{HERE}/hits", Role.INSTALLER, hits)


def choice_of(query: Mapping[str, Sequence[str]], lines: Sequence[LineState]) -> Choice:
    """What a page's address or a form says was chosen; of a level above which none is chosen nothing is, and a line
    that is the only one is chosen."""

    def said(name: str) -> str:
        return next(reversed(query.get(name, ())), "").strip()

    levels: list[str] = []
    for level in LEVELS:
        levels.append(said(level) if not levels or levels[-1] or said("profile") else "")
    names = [line.name for line in lines]
    port = said("port") if said("port") in names else _likeliest(lines)
    return Choice(port, said("profile"), tuple(levels), said("q"), said("id"), said("alias"), said("task"))


def new_uid(name: str, there: set[str]) -> str:
    """A short id made of a name, which no other device has."""
    letters = (letter for letter in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(letter))
    plain = re.sub(r"[^a-z0-9]+", "-", "".join(letters)).strip("-")[:32] or "device"
    uid, number = plain, 2
    while uid in there or uid in RESERVED:
        uid, number = f"{plain}-{number}", number + 1
    return uid


def said_count(count: int, q: str, say: Say) -> str:
    """How many were found, in words."""
    if not count:
        return say("add.no_hits", q=q)
    return say("add.hits", n=count) + (f" {say('add.more', n=HITS)}" if count > HITS else "")


def _likeliest(lines: Sequence[LineState]) -> str:
    """The line on which somebody wants to add a device: one that is not for native meters, nor an M-Bus, whose meters
    are searched for, where there is one."""
    return next((line.name for line in sorted(lines, key=lambda line: line.role in ("native", "mbus"))), "")


def _model(hit: Mapping[str, Any]) -> tuple[str, ...]:
    return (*("" for _ in LEVELS[:-1]), hit["model"])


def _line(house: House, name: str) -> LineState | None:
    return next((line for line in house.sources.lines() if line.name == name), None)


def _proposals(detected: Detected | None, choice: Choice) -> list[tuple[str, str]]:
    if detected is None:
        return []
    return [
        (said, choice.address(profile=key, levels=("",) * len(LEVELS), q="", task=""))
        for key, said in detected.proposals
    ]


def _undetected(error: ConcentratorError, unit: int, line: LineState | None, say: Say) -> Detected:
    """Nobody answered, or could not be asked."""
    if not isinstance(error, NoReply):
        return Detected(say("add.trouble", why=error.sentence))
    at = None if line is None else parse_serial(line.endpoint)
    if at is None:
        return Detected(say("det.none_net", id=unit, line="" if line is None else line.name))
    fmt = f"{at.bytesize}{at.parity}{at.stopbits}"
    return Detected(say("det.none", id=unit, baud=at.baudrate, fmt=fmt, n=1))


def _facts(profile: Any, line: LineState | None, say: Say) -> list[str]:
    """What there is to know about a profile before it is used on a line."""
    if profile is None:
        return []
    said = [
        say("add.status_line", profile=profile["profile"], status=say(f"cat.{profile['status'].replace('-', '_')}"))
    ]
    at = None if line is None else parse_serial(line.endpoint)
    if profile["serial_line"] and at is not None:
        now = f"{at.baudrate} {at.bytesize}{at.parity}{at.stopbits}"
        is_same = now == profile["serial_line"]
        said.append(say("add.settings_same" if is_same else "add.settings", line=profile["serial_line"], now=now))
    if profile["default_id"] is not None:
        said.append(say("add.factory_id", id=profile["default_id"]))
    return said
