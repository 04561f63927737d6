"""Signing in and out, one's own password, and how the pages look and speak, which can be chosen before. Hides that an
address to go on to is only ever one of this site."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from concentrator.portal.house import House
from concentrator.web.access import Role
from concentrator.web.forms import Entry, Field, Form
from concentrator.web.gate import Gate, Wait, Wrong
from concentrator.web.passwords import LEAST, MOST
from concentrator.web.route import LANGUAGES, THEMES, Reply, Route, Visit, see_other
from concentrator.web.session import Session
from concentrator.web.users import Refusal

_YEAR_S = 365 * 86400
_NAME_MOST = 64


def login_routes(house: House, gate: Gate) -> Iterator[Route]:
    """`/login`, `/logout`, `/password` and `/look`."""

    def login(visit: Visit) -> Reply:
        """The form that asks who is there; who has signed in already goes on."""
        onward = local(visit.asked("next"))
        return (
            see_other(onward)
            if visit.session is not None
            else drawn(visit, login_form(visit), onward, visit.asked("typed"))
        )

    async def sign_in(visit: Visit) -> Reply:
        """Lets somebody in, or says what is wrong, without saying which of the two."""
        form, onward = login_form(visit).take(visit.form), local(visit.form.get("next", ""))
        say = house.say(visit)
        try:
            key, session = await gate.sign_in(
                address_of(visit), form.value("user"), form.value("password"), key_before=visit.key
            )
        except Wrong:
            form.fault("", say("login.bad"))
        except Wait as wait:
            form.fault("", say("login.wait", s=wait.seconds))
        if not form.is_right:
            return drawn(visit, form, onward, visit.form.get("typed", ""))
        if (typed := gate.sessions.forms.take(visit.form.get("typed", ""))) is not None:
            session.saved["typed"] = typed
        visit.set_key(key)
        return see_other("/password" if session.must_change else onward)

    def drawn(visit: Visit, form: Form, onward: str, typed: str) -> Reply:
        return house.draw(visit, "login.html", form=form, onward=onward, typed=typed)

    def login_form(visit: Visit) -> Form:
        say = house.say(visit)
        user = Field("user", say("login.user"), is_required=True, autocomplete="username", most=_NAME_MOST)
        password = Field(
            "password",
            say("login.password"),
            Entry.SECRET,
            is_required=True,
            autocomplete="current-password",
            most=MOST,
        )
        return Form((user, password))

    def sign_out(visit: Visit) -> Reply:
        """Ends the session."""
        gate.sessions.end(visit.key)
        visit.set_key("")
        return see_other("/login")

    def password(visit: Visit) -> Reply:
        """The form for one's own new password."""
        return house.draw(visit, "password.html", form=password_form(house, visit))

    async def set_password(visit: Visit) -> Reply:
        """Takes one's own new password; a new session begins with it, and all others of the user end."""
        form = password_form(house, visit).take(visit.form)
        if await change_password(house, gate, visit, form) is None:
            return house.draw(visit, "password.html", form=form)
        return see_other("/")

    def look(visit: Visit) -> Reply:
        """Takes the language and the theme into the browser."""
        if (language := visit.form.get("language", "")) in LANGUAGES:
            visit.set_cookie("language", language, lasts_s=_YEAR_S)
        if (theme := visit.form.get("theme")) is not None and theme in ("", *THEMES):
            visit.set_cookie("theme", theme, lasts_s=_YEAR_S if theme else 0)
        return see_other(local(visit.form.get("next", "")))

    yield Route("/login", None, login, sign_in)
    yield Route("/logout", Role.VIEWER, post=sign_out)
    yield Route("/password", Role.VIEWER, password, set_password)
    yield Route("/look", None, post=look)


def password_form(house: House, visit: Visit) -> Form:
    """What is asked for one's own new password: the one in use, and the new one twice."""
    say = house.say(visit)

    def secret(name: str, fill: str, hint: str = "") -> Field:
        return Field(
            name, say(f"login.{name}"), Entry.SECRET, hint=hint, is_required=True, autocomplete=fill, most=MOST
        )

    return Form(
        (
            secret("previous", "current-password"),
            secret("new", "new-password", say("login.new_hint", n=LEAST)),
            secret("again", "new-password"),
        )
    )


async def change_password(house: House, gate: Gate, visit: Visit, form: Form) -> Session | None:
    """Carries out what was sent with `password_form`; gives the session that begins with it, None where the form has
    its faults now."""
    session, say = visit.session, house.say(visit)
    assert session is not None, "nobody comes here who has not signed in"
    previous, new = form.value("previous"), form.value("new")
    try:
        await gate.known(address_of(visit), session.user, previous)
        if new != form.value("again"):
            raise Refusal("differ", "the two new passwords differ")
        if new == previous:
            raise Refusal("same", "the new password is the one in use")
        await gate.users.set_password(session.user, new)
    except Wrong:
        form.fault("previous", say("login.not_previous"))
    except Wait as wait:
        form.fault("", say("login.wait", s=wait.seconds))
    except Refusal as refusal:
        form.fault("again" if refusal.code == "differ" else "new", say(f"login.{refusal.code}", **refusal.values))
    else:
        gate.sessions.end_of(session.user)
        key, begun = gate.sessions.begin(session.user, session.role)
        visit.set_key(key)
        return begun
    return None


def address_of(visit: Visit) -> str:
    """The address of whoever asks."""
    return str(getattr(visit.request.getClientAddress(), "host", ""))


def local(address: str) -> str:
    """An address to go on to: itself where it is a path of this site, else the first page."""
    if not address.startswith("/") or any(sign in address for sign in "\\\r\n\t") or not address.isascii():
        return "/"
    parts = urlsplit(address)
    own = not parts.scheme and not parts.netloc and not address.startswith("//")
    return address if own and parts.path not in ("/login", "/logout", "/password", "/look") else "/"
