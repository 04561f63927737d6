"""The page Settings › Security: one's own password, the other users, and the certificate for HTTPS. Hides that a
password which the box made is shown once, and which form of the page was sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from concentrator.model.errors import CommandError, OutOfRange, Unknown
from concentrator.portal.house import House
from concentrator.portal.numbers import moment
from concentrator.portal.pages.login import change_password, password_form
from concentrator.web.access import Role
from concentrator.web.forms import Entry, Field, Form
from concentrator.web.gate import Gate
from concentrator.web.route import Reply, Route, Visit, see_other
from concentrator.web.users import NAME_MOST

PATH = "/settings/security"
_MADE = "made"
"""Where a session keeps the password the box made, until the page that shows it is drawn."""


def security_routes(house: House, gate: Gate) -> Iterator[Route]:
    """`/settings/security` and what is under it."""
    pages = _Pages(house, gate)
    admin = Role.ADMINISTRATOR
    yield Route(PATH, admin, pages.shown, pages.set_password)
    yield Route(f"{PATH}/users", admin, post=pages.add)
    yield Route(f"{PATH}/users/*", admin, pages.user, pages.change)
    yield Route(f"{PATH}/certificate", admin, post=pages.certificate)


class _Pages:
    def __init__(self, house: House, gate: Gate) -> None:
        self._house = house
        self._gate = gate

    async def shown(self, visit: Visit) -> Reply:
        """Everything."""
        return await self._drawn(visit)

    async def set_password(self, visit: Visit) -> Reply:
        """One's own new password."""
        form = password_form(self._house, visit).take(visit.form)
        session = await change_password(self._house, self._gate, visit, form)
        if session is None:
            return await self._drawn(visit, own=form)
        session.saved["said"] = self._house.say(visit)("security.own_saved")
        return see_other(PATH)

    async def add(self, visit: Visit) -> Reply:
        """Somebody new."""
        form = self._user_form(visit).take(visit.form)
        if not form.value("name"):
            form.fault("name", self._house.say(visit)("refused.name"))
            return await self._drawn(visit, new=form)
        try:
            made = await self._house.ask(visit, "user.add", name=form.value("name"), role=form.value("role"))
        except CommandError as error:
            form.fault("name", self._refusal(visit, error))
            return await self._drawn(visit, new=form)
        return self._made(visit, cast(Mapping[str, str], made))

    async def user(self, visit: Visit, name: str) -> Reply | None:
        """The question whether somebody is to be removed, and what goes with him."""
        user = self._gate.users.find(name)
        return None if user is None else self._house.draw(visit, "user.html", user_=user, fault="", here=PATH)

    async def change(self, visit: Visit, name: str) -> Reply | None:
        """Another role, a new password, or the end of somebody."""
        house, say = self._house, self._house.say(visit)
        asked = visit.form.get("do", "")
        try:
            if asked == "reset":
                return self._made(visit, cast(Mapping[str, str], await house.ask(visit, "user.reset", name=name)))
            if asked == "role":
                await house.ask(visit, "user.role", name=name, role=visit.form.get("role", ""))
                house.note(visit, say("security.role_saved", name=name))
            elif asked == "remove":
                await house.ask(visit, "user.remove", name=name)
                house.note(visit, say("security.removed", name=name))
        except Unknown:
            return None
        except CommandError as error:
            return await self._drawn(visit, refused=self._refusal(visit, error))
        return see_other(PATH)

    async def certificate(self, visit: Visit) -> Reply:
        """A certificate of one's own, or one made anew."""
        house, say = self._house, self._house.say(visit)
        if visit.form.get("do") == "make":
            await house.ask(visit, "https.make")
            house.note(visit, say("security.certificate_made"))
            return see_other(PATH)
        form = self._pem_form(visit).take(visit.form)
        chosen = visit.files.get("pem-file", ())
        pem = chosen[-1].content.decode("ascii", "replace") if chosen else form.value("pem")
        try:
            await house.ask(visit, "https.install", pem=pem)
        except CommandError as error:
            form.typed["pem"] = ""  # it may have a key in it, which no page has
            form.fault("pem", self._refusal(visit, error))
            return await self._drawn(visit, pem=form)
        house.note(visit, say("security.certificate_saved"))
        return see_other(PATH)

    # -- what is drawn

    def _made(self, visit: Visit, made: Mapping[str, str]) -> Reply:
        assert visit.session is not None, "nobody comes here who has not signed in"
        visit.session.saved[_MADE] = (made["name"], made["password"])
        return see_other(PATH)

    async def _drawn(
        self,
        visit: Visit,
        *,
        own: Form | None = None,
        new: Form | None = None,
        pem: Form | None = None,
        refused: str = "",
    ) -> Reply:
        house, session = self._house, visit.session
        assert session is not None, "nobody comes here who has not signed in"
        users = cast(Sequence[Mapping[str, Any]], await house.ask(visit, "user.list"))
        certificate = cast(Mapping[str, Any], await house.ask(visit, "https.get"))
        sources, say = house.sources, house.say(visit)
        ends = ""
        if certificate.get("is_there"):
            ends = moment(certificate["ends_at"], sources.wall.now(), sources.zone, visit.language)
        made = cast(Sequence[str], session.saved.pop(_MADE, ()))
        return house.draw(
            visit,
            "security.html",
            own=own or password_form(house, visit),
            new=new or self._user_form(visit),
            pem=pem or self._pem_form(visit),
            users=users,
            roles=[(role.value, say(f"role.{role}")) for role in Role],
            certificate=certificate,
            ends=ends,
            made=made,
            refused=refused,
            here=PATH,
        )

    def _user_form(self, visit: Visit) -> Form:
        say = self._house.say(visit)
        roles = [(role.value, say(f"role.{role}")) for role in Role]
        return Form(
            (
                Field("name", say("security.name"), hint=say("security.name_hint"), is_required=True, most=NAME_MOST),
                Field("role", say("security.role"), Entry.CHOICE, Role.VIEWER.value, choices=roles),
            )
        )

    def _pem_form(self, visit: Visit) -> Form:
        say = self._house.say(visit)
        return Form((Field("pem", say("security.pem"), Entry.LONG, hint=say("security.pem_hint")),))

    def _refusal(self, visit: Visit, error: CommandError) -> str:
        """Why something cannot be, in the visitor's language where that is known."""
        code, values = getattr(error, "code", ""), getattr(error, "values", {})
        if isinstance(error, OutOfRange) and code:
            return self._house.say(visit)(f"refused.{code}", **values)
        return error.sentence
