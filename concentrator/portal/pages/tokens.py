"""The API tokens page: the programs that may use the API, and what each may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from concentrator.actions.table import Permission
from concentrator.actions.tokens import GIVEN
from concentrator.model.errors import ConcentratorError
from concentrator.portal.house import House
from concentrator.web.access import Role
from concentrator.web.forms import Entry, Field, Form
from concentrator.web.route import Reply, Route, Visit, see_other

PATH = "/services/tokens"


def token_routes(house: House) -> Iterator[Route]:
    """`/services/tokens`, and how one is taken back."""

    async def page(visit: Visit, form: Form | None = None, secret: str = "") -> Reply:
        tokens: Any = await house.ask(visit, "token.list")
        return house.draw(visit, "tokens.html", tokens=tokens, form=form or _form(house, visit), secret=secret)

    async def make(visit: Visit) -> Reply:
        """Makes a token, and shows its secret, this once."""
        form = _form(house, visit).take(visit.form)
        allow = [each.value for each in GIVEN if form.is_on(each)]
        try:
            if not allow:
                form.fault(Permission.READ, house.say(visit)("tokens.nothing"))
                return await page(visit, form)
            made: Any = await house.ask(visit, "token.add", name=form.value("name"), allow=allow)
        except ConcentratorError as error:
            form.fault("name", str(error))
            return await page(visit, form)
        return await page(visit, secret=made["token"])

    async def take_back(visit: Visit) -> Reply:
        name = visit.form.get("name", "")
        try:
            await house.ask(visit, "token.remove", name=name)
        except ConcentratorError as error:
            house.note(visit, str(error))
        else:
            house.note(visit, house.say(visit)("tokens.gone", name=name))
        return see_other(PATH)

    yield Route(PATH, Role.ADMINISTRATOR, page, make)
    yield Route(f"{PATH}/remove", Role.ADMINISTRATOR, post=take_back)


def _form(house: House, visit: Visit) -> Form:
    say = house.say(visit)
    classes = (
        Field(each, say(f"tokens.{each}"), Entry.TICK, "on" if each is Permission.READ else "") for each in GIVEN
    )
    return Form((Field("name", say("tokens.name"), hint=say("tokens.name_hint"), is_required=True, most=64), *classes))
