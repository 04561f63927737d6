"""The pages Settings › Web server: HTTP Statistics, Configuration and Authentication, with the labels of the CMe3000
(its user manual, 6.5). Hides how rules for addresses stand in the configuration, and which of them wins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from attrs import frozen

from concentrator.model.errors import CommandError, ConfigError
from concentrator.portal.config_form import ConfigPage, Key, config_page, grouped, keys_of
from concentrator.portal.house import House
from concentrator.portal.numbers import count
from concentrator.web.access import Role
from concentrator.web.forms import Entry, Field, Form
from concentrator.web.gate import Gate
from concentrator.web.route import Reply, Route, Visit, see_other
from concentrator.web.uri_rules import REALM, UriRule, Way, rule_of, winner

PATH = "/settings/web"
CONFIGURATION, AUTHENTICATION, CLEAR = f"{PATH}/configuration", f"{PATH}/authentication", f"{PATH}/clear"


@frozen
class _Ports(Key):
    """Where something is served: a port for each address, or the whole address where it is of one interface only."""

    def text(self, value: object) -> str:
        """8080 for tcp:8080."""
        each = value if isinstance(value, list) else [value] if value else []
        return " ".join(re.sub(r"^tcp:(\d+)$", r"\1", str(one)) for one in each)

    def value(self, text: str) -> Any:
        """tcp:8080 for 8080."""
        return [f"tcp:{each}" if each.isdecimal() else each for each in re.split(r"[\s,]+", text) if each]


_KEYS: tuple[tuple[str, tuple[Key, ...]], ...] = (
    (
        "",
        (
            _Ports("web", "listen", "webserver.listen", is_empty_told=True),
            _Ports("web", "https", "webserver.https", is_empty_told=True),
            Key("web", "tls", "webserver.tls", Entry.TICKS, choices=("1.2", "1.3")),
            Key("web", "redirect", "webserver.redirect", Entry.TICK),
        ),
    ),
    (
        "webserver.limits",
        (
            Key("web", "max_timeout", "webserver.max_timeout"),
            Key("web", "max_bytes", "webserver.max_bytes"),
        ),
    ),
    (
        "webserver.logging",
        (
            Key("web", "log", "webserver.log", Entry.TICK),
            Key("web", "log_entries", "webserver.log_entries", Entry.NUMBER, is_whole=True),
            Key("web", "log_format", "webserver.log_format"),
        ),
    ),
)


def web_routes(house: House, gate: Gate) -> Iterator[Route]:
    """`/settings/web` and its tabs."""
    pages = _Pages(house, gate)
    admin = Role.ADMINISTRATOR
    yield Route(PATH, admin, pages.statistics)
    yield Route(CLEAR, admin, post=pages.clear)
    yield Route(CONFIGURATION, admin, pages.configuration, pages.configure)
    yield Route(AUTHENTICATION, admin, pages.authentication, pages.add_rule)
    yield Route(f"{AUTHENTICATION}/delete", admin, post=pages.delete_rule)


class _Pages:
    def __init__(self, house: House, gate: Gate) -> None:
        self._house = house
        self._gate = gate

    def statistics(self, visit: Visit) -> Reply:
        """What was served, and the log."""
        log = self._house.http_log
        counts = [(label, count(number)) for label, number in log.counts()]
        return self._house.draw(
            visit,
            "web_statistics.html",
            counts=counts,
            lines=log.lines(),
            size=count(log.size()),
            is_viewed=visit.asked("log") == "view",
            here=PATH,
        )

    def clear(self, visit: Visit) -> Reply:
        """Forgets the log."""
        self._house.http_log.clear()
        self._house.note(visit, self._house.say(visit)("webserver.cleared"))
        return see_other(PATH)

    async def configuration(self, visit: Visit) -> Reply:
        """Where and how it is served."""
        return self._configuration(await config_page(self._house, visit, keys_of(_KEYS)))

    async def configure(self, visit: Visit) -> Reply:
        """Saves it."""
        page = await config_page(self._house, visit, keys_of(_KEYS))
        await page.take()
        return see_other(CONFIGURATION) if await page.save() else self._configuration(page)

    def _configuration(self, page: ConfigPage) -> Reply:
        log, visit = self._house.http_log, page.visit
        return self._house.draw(
            visit,
            "web_configuration.html",
            page=page,
            form=page.form,
            groups=grouped(page, _KEYS),
            entries=count(len(log.lines())),
            size=count(log.size()),
            here=PATH,
        )

    # -- rules

    async def authentication(self, visit: Visit) -> Reply:
        """The rules, one more, and which of them wins for an address."""
        return await self._authentication(visit, self._rule_form(visit))

    async def add_rule(self, visit: Visit) -> Reply:
        """One more rule; one for the same address takes the place of the one before."""
        house, form = self._house, self._rule_form(visit).take(visit.form)
        users = form.value("users").split()
        realm = form.value("realm") or REALM
        say = house.say(visit)
        if not form.value("uri").startswith("/"):
            form.fault("uri", say("webserver.uri_slash"))
            return await self._authentication(visit, form)
        try:
            rule = rule_of(str(UriRule(form.value("uri"), Way(form.value("way")), tuple(users), realm)))
        except ValueError:
            form.fault("realm" if realm != REALM else "uri", say("webserver.rule_wrong"))
            return await self._authentication(visit, form)
        rules = [each for each in await self._rules(visit) if each.uri.rstrip("/") != rule.uri.rstrip("/")]
        return await self._keep(visit, [*rules, rule], form)

    async def delete_rule(self, visit: Visit) -> Reply:
        """One rule less."""
        gone = visit.form.get("rule", "")
        rules = [each for each in await self._rules(visit) if str(each) != gone]
        return await self._keep(visit, rules, self._rule_form(visit))

    async def _keep(self, visit: Visit, rules: Sequence[UriRule], form: Form) -> Reply:
        house = self._house
        try:
            await house.ask(visit, "config.set", changes={"web": {"rules": [str(each) for each in rules] or None}})
        except ConfigError:
            form.fault("way", house.say(visit)("webserver.needs_https"))
            return await self._authentication(visit, form)
        except CommandError as error:
            form.fault("", error.sentence)
            return await self._authentication(visit, form)
        house.note(visit, house.say(visit)("webserver.rules_saved"))
        return see_other(AUTHENTICATION)

    async def _rules(self, visit: Visit) -> list[UriRule]:
        told = await self._house.ask(visit, "config.get", section="web", key="rules")
        values = cast(Mapping[str, Any], told)["values"]["web"]["rules"] or []
        return [rule_of(each) for each in values]

    async def _authentication(self, visit: Visit, form: Form) -> Reply:
        rules = sorted(await self._rules(visit), key=lambda rule: rule.uri)
        asked = visit.asked("for")
        users = self._gate.users
        unready = {
            str(rule): [each.name for each in users if each.name in rule.users and not each.digests.get(rule.realm)]
            for rule in rules
            if rule.way.takes_digest
        }
        return self._house.draw(
            visit,
            "web_authentication.html",
            form=form,
            rules=rules,
            asked=asked,
            winner=winner(rules, asked) if asked else None,
            unready=unready,
            here=PATH,
        )

    def _rule_form(self, visit: Visit) -> Form:
        say = self._house.say(visit)
        names = [(each.name, each.name) for each in self._gate.users]
        ways = [(way.value, way.label if way is not Way.NONE else "None") for way in Way]
        return Form(
            (
                Field("uri", "URI", hint=say("webserver.uri_hint"), is_required=True, most=200),
                Field("realm", "Realm", value=REALM, most=64),
                Field("way", "AuthType", Entry.CHOICE, Way.BASIC.value, say("webserver.way_hint"), choices=ways),
                Field("users", say("webserver.users"), Entry.TICKS, hint=say("webserver.users_hint"), choices=names),
            )
        )
