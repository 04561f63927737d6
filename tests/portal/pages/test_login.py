import re

import pytest

from concentrator.portal.pages.login import local
from concentrator.web.access import Role
from concentrator.web.route import COOKIE
from concentrator.web.tries import FREE
from tests.support.web import FakeBox, form_of, visit
from tests.web.test_users import GOOD, now

OTHER = "sol y sombra 12"


@pytest.fixture
def box():
    box = FakeBox()
    now(box.users.begin("admin", "admin"))
    return box


@pytest.fixture
def site(box, clock):
    yield box.site(clock)
    assert not clock.getDelayedCalls()


def sign_in(site, user="admin", password="admin", **request):
    fields = {"user": user, "password": password, "next": request.pop("next", "")}
    return visit(site, "/login", **form_of(fields), **request)


def key_of(answer):
    """The key that an answer puts into the browser."""
    return re.match(rf"{COOKIE}=([^;]*)", answer.headers["set-cookie"])[1]


def test_whoever_has_not_signed_in_is_asked_to_and_comes_back_to_where_he_wanted(site):
    asked = visit(site, "/devices/main?chart=p")
    assert (asked.status, asked.headers["location"]) == (303, "/login?next=/devices/main%3Fchart%3Dp")
    form = visit(site, asked.headers["location"])
    assert form.status == 200
    assert 'name="next" value="/devices/main?chart=p"' in form.text


def test_the_login_says_nothing_about_the_plant(box, site):
    page = visit(site, "/login").text
    for secret in ("4220080001", "0.1.0", "PRO", "Main", "Workshop", "native"):
        assert secret not in page


def test_a_factory_password_opens_nothing_but_the_choice_of_another(box, site):
    told = sign_in(site)
    assert (told.status, told.headers["location"]) == (303, "/password")
    cookie = f"{COOKIE}={key_of(told)}"
    for path in ("/devices", "/", "/lines/native"):
        assert visit(site, path, cookie=cookie).headers["location"] == "/password"
    assert visit(site, "/api/v1/status", cookie=cookie).status == 401
    assert visit(site, "/live", cookie=cookie).status == 401
    page = visit(site, "/password", cookie=cookie)
    assert "The password is still the factory one. Choose your own to go on." in page.text
    token = re.search(r'name="token" value="([^"]+)', page.text)[1]
    sent = {"token": token, "previous": "admin", "new": GOOD, "again": GOOD}
    done = visit(site, "/password", cookie=cookie, **form_of(sent))
    assert (done.status, done.headers["location"]) == (303, "/")
    assert visit(site, "/devices", cookie=cookie).status == 303  # the key from before is worth nothing
    assert visit(site, "/password", cookie=f"{COOKIE}={key_of(done)}").status == 200
    assert sign_in(site, password="admin").status == 200
    assert sign_in(site, password=GOOD).headers["location"] == "/"


@pytest.mark.parametrize(("user", "password"), [("admin", "b4d-0ne"), ("nobody", "b4d-0ne"), ("", "")])
def test_a_wrong_login_does_not_say_which_of_the_two_it_was_and_keeps_what_is_no_secret(site, user, password):
    told = sign_in(site, user, password)
    assert told.status == 200
    assert "User or password is wrong." in told.text
    assert f'value="{user}"' in told.text
    assert "b4d-0ne" not in told.text
    assert "set-cookie" not in told.headers


def test_the_login_speaks_spanish_to_whom_it_is_offered_and_by_choice(site):
    page = visit(site, "/login", accept_language="es-ES,es;q=0.9,en;q=0.5").text
    assert '<html lang="es"' in page and "Contraseña" in page
    told = sign_in(site, password="mal", cookie="language=es")
    assert "Usuario o contraseña incorrectos." in told.text


def test_language_and_theme_are_chosen_before_the_login_too(site):
    told = visit(site, "/look", **form_of({"language": "es", "theme": "", "next": "/login"}))
    assert told.status == 303
    assert told.headers["set-cookie"].startswith(("language=es; Path=/; HttpOnly; SameSite=Lax", "theme=;"))
    assert 'data-theme="dark"' in visit(site, "/login", cookie="theme=dark").text
    forged = visit(site, "/look", **form_of({"language": "es\r\nx", "theme": "<b>", "next": "//evil.example"}))
    assert "set-cookie" not in forged.headers
    assert forged.headers["location"] == "/"


def test_tries_without_end_are_slowed_down(box, site):
    for _ in range(FREE):
        sign_in(site, password="wrong")
    told = sign_in(site, password="admin")
    assert "Too many tries. Next try in 1 s." in told.text
    assert "set-cookie" not in told.headers


def test_a_key_that_somebody_put_into_the_browser_before_is_not_taken_over(box, site):
    fixed = "a" * 43
    told = sign_in(site, cookie=f"{COOKIE}={fixed}")
    assert key_of(told) != fixed
    assert visit(site, "/password", cookie=f"{COOKIE}={fixed}").headers["location"].startswith("/login")


def test_signing_out_ends_the_session_and_takes_the_form_of_a_page_of_it(box, site):
    assert visit(site, "/logout", cookie=f"{COOKIE}={box.keys[Role.VIEWER]}", **form_of({})).status == 403
    told = box.as_(Role.VIEWER, site, "/logout", fields={})
    assert told.headers["location"] == "/login"
    assert told.headers["set-cookie"].startswith(f"{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
    assert visit(site, "/devices", cookie=f"{COOKIE}={box.keys[Role.VIEWER]}").status == 303
    assert box.as_(Role.INSTALLER, site, "/logout").status == 405


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"previous": "wrong", "new": GOOD, "again": GOOD}, "Previous password: not the one in use."),
        ({"previous": OTHER, "new": "short", "again": "short"}, "New password: 5 characters. Use 10 to 200."),
        ({"previous": OTHER, "new": GOOD, "again": GOOD + "x"}, "New password, again: not the same as the one above."),
        (
            {"previous": OTHER, "new": "password123", "again": "password123"},
            "New password: among the most common ones.",
        ),
        ({"previous": OTHER, "new": OTHER, "again": OTHER}, "New password: the one in use. Choose another."),
    ],
)
def test_a_new_password_that_will_not_do_is_refused_and_shown_nowhere(box, site, sent, sentence):
    now(box.users.add("installer", Role.INSTALLER))
    now(box.users.set_password("installer", OTHER))
    told = box.as_(Role.INSTALLER, site, "/password", fields=sent)
    assert told.status == 200
    assert sentence in told.text
    assert all(f'value="{secret}"' not in told.text for secret in sent.values())
    assert now(box.users.check("installer", OTHER))


def test_with_a_new_password_all_other_sessions_of_the_user_end(box, site):
    now(box.users.add("installer", Role.INSTALLER))
    now(box.users.set_password("installer", OTHER))
    elsewhere, _ = box.sessions.begin("installer", Role.INSTALLER)
    told = box.as_(Role.INSTALLER, site, "/password", fields={"previous": OTHER, "new": GOOD, "again": GOOD})
    assert told.status == 303
    for key in (elsewhere, box.keys[Role.INSTALLER]):
        assert visit(site, "/devices", cookie=f"{COOKIE}={key}").status == 303
    assert visit(site, "/password", cookie=f"{COOKIE}={key_of(told)}").status == 200


def test_a_login_from_another_site_is_not_taken(site):
    assert sign_in(site, origin="http://evil.example").status == 403
    assert sign_in(site, sec_fetch_site="cross-site").status == 403
    assert sign_in(site, origin="http://127.0.0.1:8080").status == 303


@pytest.mark.parametrize(
    "address",
    [
        "", "x", "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "javascript:alert(1)",
        "/\t/evil.example", "/a\r\nset-cookie: x", "///evil.example", "/login", "/logout", "/password", "/ñ",
    ],
)  # fmt: skip
def test_nobody_is_sent_on_to_another_site(address):
    assert local(address) == "/"


@pytest.mark.parametrize("address", ["/devices", "/devices/m%C3%A1in?chart=p#x", "/lines/native"])
def test_a_path_of_this_site_is_gone_on_to(address):
    assert local(address) == address
