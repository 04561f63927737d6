"""The pages of the services that deliver data, MQTT and FTP: how each does in a sentence, its settings, and a trial
that really connects with what is typed. Hides which keys of the configuration a page is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import cast

from concentrator.api import UplinkState
from concentrator.model.errors import CommandError, ConfigError, Unknown
from concentrator.model.latency import MQTT_LATENCIES_S, format_duration
from concentrator.portal.config_form import ConfigPage, Key, config_page, grouped, keys_of
from concentrator.portal.house import House
from concentrator.portal.numbers import clock_time, count, moment
from concentrator.portal.trial import TrialView, trial_view
from concentrator.web.access import Role
from concentrator.web.forms import Entry
from concentrator.web.route import Reply, Route, Visit, see_other

MQTT_PATH, FTP_PATH, TRIAL_PATH = "/services/mqtt", "/services/ftp", "/services/test"
ALLOW = ("read", "write", "output", "link", "config", "system")


def mqtt_keys(section: str = "mqtt") -> tuple[tuple[str, tuple[Key, ...]], ...]:
    """The fields of an MQTT section, in groups: the key of the group's title in the words, and its keys."""

    def key(name: str, entry: Entry = Entry.TEXT, **how: object) -> Key:
        return Key(section, name, f"broker.{name}", entry, **how)  # type: ignore[arg-type]  # as Key has them

    return (
        ("", (key("enabled", Entry.TICK), key("broker", Entry.CHOICE, choices=("own", "default")))),
        (
            "broker.connection",
            (
                key("host"),
                key("port", Entry.NUMBER, usual="8883", is_whole=True),
                key("client_id"),
                key("user"),
                key("password", Entry.SECRET, also=("password_file",)),
                key("tls", Entry.CHOICE, choices=("ca", "self-signed")),
                key("ca_file", Entry.FILE),
                key("cert_file", Entry.FILE),
                key("keepalive"),
                key("protocol", Entry.CHOICE, choices=("3.1.1", "5")),
            ),
        ),
        (
            "broker.messages",
            (
                key("prefix_sub"),
                key("prefix_pub"),
                key("qos", Entry.CHOICE, choices=("0", "1", "2"), is_whole=True),
                key("latency", Entry.CHOICE, choices=[format_duration(each) for each in MQTT_LATENCIES_S]),
                key("allow", Entry.TICKS, choices=ALLOW),
            ),
        ),
    )


FTP_KEYS: tuple[tuple[str, tuple[Key, ...]], ...] = (
    ("", (Key("ftp", "enabled", "files.enabled", Entry.TICK),)),
    (
        "files.connection",
        (
            Key("ftp", "server", "files.server"),
            Key("ftp", "port", "files.port", Entry.NUMBER, usual="21", is_whole=True),
            Key("ftp", "directory", "files.directory", is_empty_told=True),
            Key("ftp", "user", "files.user"),
            Key("ftp", "password", "files.password", Entry.SECRET, also=("password_file",)),
            Key("ftp", "tls", "files.tls", Entry.TICK),
            Key("ftp", "ca_file", "files.ca_file", Entry.FILE),
        ),
    ),
)


def service_routes(house: House) -> Iterator[Route]:
    """`/services/mqtt`, `/services/mqtt/<name>` of further ones, `/services/ftp`, and the trials of both."""
    pages = _Pages(house)
    see, do = Role.VIEWER, Role.INSTALLER
    yield Route(MQTT_PATH, see, pages.mqtt, pages.change_mqtt, do)
    yield Route(f"{MQTT_PATH}/*", see, pages.mqtt, pages.change_mqtt, do)
    yield Route(FTP_PATH, see, pages.ftp, pages.change_ftp, do)
    yield Route(f"{TRIAL_PATH}/*", do, pages.trial, pages.cancel_trial)


class _Pages:
    def __init__(self, house: House) -> None:
        self._house = house

    async def mqtt(self, visit: Visit, name: str = "") -> Reply | None:
        """The settings of an MQTT uplink; None where there is none of that name."""
        page = await self._mqtt_page(visit, name)
        return None if page is None else self._drawn(page, _place(name))

    async def change_mqtt(self, visit: Visit, name: str = "") -> Reply | None:
        """Saves or tries them."""
        page = await self._mqtt_page(visit, name)
        return None if page is None else await self._changed(page, _place(name))

    async def ftp(self, visit: Visit) -> Reply:
        """The settings of sending files."""
        return self._drawn(await config_page(self._house, visit, keys_of(FTP_KEYS)), "ftp")

    async def change_ftp(self, visit: Visit) -> Reply:
        """Saves or tries them."""
        return await self._changed(await config_page(self._house, visit, keys_of(FTP_KEYS)), "ftp")

    async def trial(self, visit: Visit, task: str) -> Reply | None:
        """How a trial stands, as a piece of the page."""
        try:
            return self._piece(visit, await trial_view(self._house, visit, task, at_its_end=False))
        except Unknown:
            return None

    async def cancel_trial(self, visit: Visit, task: str) -> Reply | None:
        """Gives a trial up."""
        try:
            await self._house.ask(visit, "task.cancel", id=task)
        except Unknown:
            return None
        return await self.trial(visit, task)

    async def _mqtt_page(self, visit: Visit, name: str) -> ConfigPage | None:
        try:
            return await config_page(self._house, visit, keys_of(mqtt_keys(_place(name))))
        except Unknown:
            return None

    async def _changed(self, page: ConfigPage, place: str) -> Reply:
        await page.take()
        if page.visit.form.get("do") == "test":
            return await self._tried(page, place)
        return see_other(page.visit.path) if await page.save() else self._drawn(page, place)

    async def _tried(self, page: ConfigPage, place: str) -> Reply:
        """Tries what is typed, and saves nothing. A script gets the trial that begins, to be asked again; without one
        the page comes back when it is over."""
        visit = page.visit
        if page.form.is_right and not page.other:
            try:
                task = await begin_trial(self._house, page, place)
            except (ConfigError, CommandError) as error:
                page.refuse(error)
            else:
                is_alone = visit.form.get("script") == "1"
                view = await trial_view(self._house, visit, task, at_its_end=not is_alone)
                return self._piece(visit, view) if is_alone else self._drawn(page, place, view)
        return self._drawn(page, place)

    def _piece(self, visit: Visit, view: TrialView) -> Reply:
        say, session = self._house.say(visit), visit.session
        body = self._house.templates.render("trial.html", t=say, trial=view, token=session.token if session else "")
        return Reply(body, headers={"X-Trial": view.id})

    def _drawn(self, page: ConfigPage, place: str, trial: TrialView | None = None) -> Reply:
        house, visit = self._house, page.visit
        kind = place.partition(".")[0]
        groups = FTP_KEYS if kind == "ftp" else mqtt_keys(place)
        others = [state.name for state in house.sources.uplinks() if state.kind == "mqtt" and state.name != place]
        return house.draw(
            visit,
            "service.html",
            here=FTP_PATH if kind == "ftp" else MQTT_PATH,
            status=HTTPStatus.OK,
            page=page,
            form=page.form,
            groups=grouped(page, groups),
            state=service_sentence(
                house, visit, place, page.form.field(f"{place.replace('.', '-')}-enabled").value == "on"
            ),
            place=place,
            others=others if kind == "mqtt" else [],
            trial=trial,
        )


async def begin_trial(house: House, page: ConfigPage, place: str) -> str:
    """Begins a trial of what is typed; gives the task's id. Raises ConfigError with all that speaks against it, Busy
    where one goes on."""
    keys = {key: value for key, value in page.changes().get(place, {}).items() if key != "enabled"}
    if place == "ftp":
        begun = await house.ask(page.visit, "ftp.test", changes=keys)
    else:
        begun = await house.ask(page.visit, "mqtt.test", section=place, changes=keys)
    return cast(Mapping[str, str], begun)["task"]


def service_sentence(house: House, visit: Visit, place: str, is_on: bool) -> str:
    """How a way out does, in one or two sentences; `is_on`: whether its settings have it work."""
    say, sources = house.say(visit), house.sources
    state = next((each for each in sources.uplinks() if each.name == place), None)
    if state is None:
        return say("service.starting" if is_on else "service.off")
    kind, now = state.kind, sources.wall.now()
    since = "" if state.since is None else moment(state.since, now, sources.zone, visit.language)
    waiting = "?" if state.waiting is None else count(state.waiting)
    if state.is_up:
        said = say(f"service.up_{kind}", since=since, n=waiting, t=_last(house, state))
    elif state.since is None:
        said = say("service.first", n=waiting)
    else:
        said = say(f"service.down_{kind}", since=since, n=waiting, why=state.trouble.rstrip(".") or "—")
    return said


def _last(house: House, state: UplinkState) -> str:
    return "—" if state.last_success is None else clock_time(state.last_success, house.sources.zone)


def _place(name: str) -> str:
    return f"mqtt.{name}" if name else "mqtt"
