"""Scan: which Modbus IDs of a line answer. The page says first what it will cost, then shows who is found as they are
found, each with the way to add it. Hides that a scan goes on when its page is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from concentrator.actions.scanning import HIGHEST, SCAN, SHARE
from concentrator.model.errors import ConcentratorError
from concentrator.poll.enquiry import PROBES, TIMEOUT_S
from concentrator.portal.addresses import address_of
from concentrator.portal.cells import Cell
from concentrator.portal.house import House
from concentrator.portal.numbers import count, span
from concentrator.portal.words import Say, say_in
from concentrator.web.access import Role
from concentrator.web.forms import Entry, Field, Form
from concentrator.web.route import Reply, Route, Visit, see_other

HERE = "/devices/scan"
SCAN_TOPIC = ":scan."


def scan_routes(house: House) -> Iterator[Route]:
    """`/devices/scan`, and the button that stops it."""

    def cells(id: str, language: str) -> Mapping[str, Cell] | None:
        task: Any = house.look("task.get", id=id)
        if task is None or not task["name"].startswith(f"{SCAN} "):
            return None
        return scan_cells(task, names(), say_in(language))

    def names() -> Mapping[str, str]:
        return {state.uid: state.alias or state.uid for state in house.sources.devices()}

    def page(visit: Visit) -> Reply:
        form = form_of(house, visit)
        if visit.query.keys() & {"first", "last", "line"}:
            form.take({name: visit.asked(name) for name in ("line", "first", "last") if name in visit.query})
            range_of(form, house.say(visit))
        return drawn(visit, form)

    def drawn(visit: Visit, form: Form) -> Reply:
        id = visit.asked("task") or _newest(house)
        shown = cells(id, visit.language) if id else None
        return house.draw(
            visit,
            "scan.html",
            shown,
            form=form,
            cost=cost_of(house, form, house.say(visit)),
            task=id if shown is not None else "",
            is_running=shown is not None and shown[":scan.state"]["text"] == "running",
            topic=SCAN_TOPIC + id if shown is not None else "",
            here=HERE,
        )

    async def begin(visit: Visit) -> Reply:
        form = form_of(house, visit).take(visit.form)
        first, last = range_of(form, house.say(visit))
        if not form.is_right or first is None or last is None:
            return drawn(visit, form)
        line = form.value("line")
        is_polled = any(state.line == line for state in house.sources.devices())
        try:
            begun: Any = await house.ask(visit, SCAN, line=line, first=first, last=last, while_polling=is_polled)
        except ConcentratorError as error:
            form.fault("", error.sentence)
            return drawn(visit, form)
        return see_other(f"{HERE}?{urlencode({'task': begun['task']})}")

    async def cancel(visit: Visit) -> Reply:
        id = visit.form.get("task", "")
        try:
            await house.ask(visit, "task.cancel", id=id)
        except ConcentratorError as error:
            house.note(visit, error.sentence)
        return see_other(f"{HERE}?{urlencode({'task': id})}")

    house.topics[SCAN_TOPIC] = cells
    yield Route(HERE, Role.INSTALLER, page, begin)
    yield Route(f"{HERE}/stop", Role.INSTALLER, post=cancel)


def scan_cells(task: Mapping[str, Any], names: Mapping[str, str], say: Say) -> dict[str, Cell]:
    """The cells of the page of a scan, by its task; `names` are those of the devices by short id."""
    line = task["name"].removeprefix(f"{SCAN} ")
    found = task["result"] or []
    said = {
        "running": lambda: say("scan.running", p=int(100 * task["progress"]), n=len(found)),
        "done": lambda: say("scan.done", n=len(found)),
        "cancelled": lambda: say("scan.cancelled"),
    }.get(task["state"], lambda: say("scan.failed", why=(task["error"] or {}).get("message", "")))()
    return {
        ":scan.state": {"text": task["state"]},
        ":scan.said": {"text": said},
        ":scan.rows": {"rows": [_row(each, line, names, say) for each in found]},
    }


def form_of(house: House, visit: Visit) -> Form:
    """The form with which a scan begins: the line, and the range of IDs."""
    # Nobody on an M-Bus has a Modbus ID: that has a search of its own.
    say, lines = house.say(visit), [line for line in house.sources.lines() if line.role != "mbus"]
    likeliest = next((line.name for line in sorted(lines, key=lambda line: line.role == "native")), "")
    choices = [(line.name, line.name) for line in lines]
    return Form(
        [
            Field("line", say("scan.line"), Entry.CHOICE, likeliest, choices=choices),
            Field("first", say("scan.first"), Entry.NUMBER, "1", most=3),
            Field("last", say("scan.last"), Entry.NUMBER, str(HIGHEST), most=3),
        ]
    )


def range_of(form: Form, say: Say) -> tuple[int | None, int | None]:
    """The IDs that were typed; None, and told beside the field, for what is none."""
    ends: list[int | None] = []
    for name in ("first", "last"):
        typed = form.value(name)
        is_id = typed.isascii() and typed.isdigit() and 1 <= int(typed) <= HIGHEST
        ends.append(int(typed) if is_id else None)
        if not is_id:
            form.fault(name, f"{say(f'scan.{name}')}: {say('scan.bad_id', found=typed)}")
    first, last = ends
    if first is not None and last is not None and first > last:
        form.fault("first", say("scan.bad_range", first=first, last=last))
    return first, last


def cost_of(house: House, form: Form, say: Say) -> str:
    """What the scan will cost, in words: how many IDs, and how long; empty where the range is none."""
    first, last = form.value("first"), form.value("last")
    if not form.is_right or not (first.isdigit() and last.isdigit()):
        return ""
    is_polled = any(state.line == form.value("line") for state in house.sources.devices())
    n = int(last) - int(first) + 1
    seconds = n * len(PROBES) * TIMEOUT_S / (SHARE if is_polled else 1.0)
    return say("scan.cost" if is_polled else "scan.cost_alone", n=count(n), t=span(seconds))


def _row(each: Mapping[str, Any], line: str, names: Mapping[str, str], say: Say) -> Mapping[str, str]:
    unit, known = each["unit"], each["known"]
    if known:
        what = say("scan.known", name=names.get(known, known))
        text = say("scan.hit", id=unit, what=what)
        return {"mark": "check", "text": text, "href": address_of(known), "label": say("scan.view")}
    profile = next(iter(each["profiles"]), "")
    told = [each["model"], each["serial"]] if each["model"] else [profile, each["serial"]]
    what = " ".join(filter(None, told)) or each["trouble"] or say("scan.unknown")
    asked = {"port": line, "profile": profile, "id": unit}
    href = f"/devices/add?{urlencode({key: value for key, value in asked.items() if value})}"
    return {"mark": "new", "text": say("scan.hit", id=unit, what=what), "href": href, "label": say("scan.add")}


def _newest(house: House) -> str:
    """The scan that runs, or the last one; empty where there was none."""
    tasks: Any = house.look("task.list") or ()
    ids = [task["id"] for task in tasks if task["name"].startswith(f"{SCAN} ")]
    return str(ids[-1]) if ids else ""
