"""The pages Settings › Historic and Settings › Timezone: what is stored and sent, and in which zone times are shown.
Hides where the names of zones come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, cast

from concentrator.portal.config_form import ConfigPage, Key, config_page, grouped, keys_of
from concentrator.portal.house import House
from concentrator.portal.numbers import fixed, joined, moment
from concentrator.web.access import Role
from concentrator.web.forms import Entry
from concentrator.web.route import Reply, Route, Visit, see_other

HISTORIC_PATH, TIMEZONE_PATH = "/settings/historic", "/settings/timezone"

Groups = tuple[tuple[str, tuple[Key, ...]], ...]

HISTORIC_KEYS: Groups = (
    (
        "",
        (
            Key("history", "enabled", "historic.enabled", Entry.TICK),
            Key("history", "latency", "historic.latency"),
            Key("history", "format", "historic.format", Entry.CHOICE, choices=("csv", "json")),
            Key("history", "keep", "historic.keep"),
        ),
    ),
    (
        "historic.sending",
        (
            Key("ftp", "enabled", "historic.ftp", Entry.TICK, also=("server",)),
            Key("ftp", "sending_latency", "historic.sending_latency"),
            Key("ftp", "time_of_day", "historic.time_of_day"),
        ),
    ),
)


def timezone_keys() -> Groups:
    """The one field of the page of the time zone."""
    return (("", (Key("box", "timezone", "timezone.zone", Entry.CHOICE, choices=zones()),)),)


@cache
def zones() -> tuple[str, ...]:
    """The names of the zones that people live in, and UTC."""
    named = (files("tzdata") / "zones").read_text().split()
    return ("UTC", *sorted(name for name in named if "/" in name and not name.startswith("Etc/")))


def settings_routes(house: House) -> Iterator[Route]:
    """`/settings/historic` and `/settings/timezone`."""
    pages = _Pages(house)
    yield Route(HISTORIC_PATH, Role.VIEWER, pages.historic, pages.change_historic, Role.INSTALLER)
    yield Route(TIMEZONE_PATH, Role.VIEWER, pages.timezone, pages.change_timezone, Role.INSTALLER)


class _Pages:
    def __init__(self, house: House) -> None:
        self._house = house

    async def historic(self, visit: Visit) -> Reply:
        """What is stored and sent."""
        return await self._historic(await config_page(self._house, visit, keys_of(HISTORIC_KEYS)))

    async def change_historic(self, visit: Visit) -> Reply:
        """Saves it."""
        page = await config_page(self._house, visit, keys_of(HISTORIC_KEYS))
        await page.take()
        return see_other(visit.path) if await page.save() else await self._historic(page)

    async def timezone(self, visit: Visit) -> Reply:
        """The zone, and how the clock is."""
        return await self._timezone(await config_page(self._house, visit, keys_of(timezone_keys())))

    async def change_timezone(self, visit: Visit) -> Reply:
        """Saves the zone."""
        page = await config_page(self._house, visit, keys_of(timezone_keys()))
        await page.take()
        return see_other(visit.path) if await page.save() else await self._timezone(page)

    async def _historic(self, page: ConfigPage) -> Reply:
        lines = await store_sentences(self._house, page.visit)
        is_on = page.form.field("history-enabled").value == "on"
        say = self._house.say(page.visit)
        state = say("historic.on" if is_on else "historic.off")
        return self._drawn(page, HISTORIC_KEYS, state, lines)

    async def _timezone(self, page: ConfigPage) -> Reply:
        return self._drawn(page, timezone_keys(), await clock_sentence(self._house, page.visit), [])

    def _drawn(self, page: ConfigPage, groups: Groups, state: str, lines: list[str]) -> Reply:
        return self._house.draw(
            page.visit,
            "setting.html",
            page=page,
            form=page.form,
            groups=grouped(page, groups),
            state=state,
            lines=lines,
        )


async def store_sentences(house: House, visit: Visit) -> list[str]:
    """How much the store takes, and how far back it goes."""
    say, sources = house.say(visit), house.sources
    told = cast(Mapping[str, Any], await house.ask(visit, "journal.status"))

    def size(of: str) -> str:
        return as_size(told[of], visit.language)

    found = [say("historic.used", used=size("used_bytes"), limit=size("limit_bytes"), free=size("free_bytes"))]
    if told["oldest"] is None:
        found.append(say("historic.empty"))
    else:
        at = datetime.fromisoformat(told["oldest"]).timestamp()
        found.append(say("historic.oldest", t=moment(at, sources.wall.now(), sources.zone, visit.language)))
    return found


async def clock_sentence(house: House, visit: Visit) -> str:
    """Whether the clock is right, and what keeps it so."""
    say = house.say(visit)
    told = cast(Mapping[str, Any], await house.ask(visit, "clock.status"))
    if not told["trusted"]:
        return say("timezone.unset")
    return say("timezone.kept" if told["synchronised"] else "timezone.alone", zone=told["zone"])


def as_size(count: int, language: str) -> str:
    """Bytes as people read them."""
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20)):
        if count >= factor:
            return joined(fixed(count / factor, 1, language), unit)
    return joined(fixed(count / 2**10, 0, language), "KiB")
