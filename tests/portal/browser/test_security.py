"""Signing in and the pages of security in a real browser."""

import pytest
import pytest_twisted

from concentrator.web.access import Role
from concentrator.web.route import COOKIE
from tests.support.axe import findings
from tests.support.security_box import SecurityBox
from tests.web.test_users import GOOD, now

PAGES = ("/settings/security", "/settings/web?log=view", "/settings/web/configuration", "/settings/web/authentication")


@pytest.fixture
def box(tmp_path):
    box = SecurityBox(tmp_path)
    now(box.users.begin("admin", "admin"))
    return box


WORDS = {
    "en": ("Sign in", "User or password is wrong.", "The password is still the factory one.", "Sign out"),
    "es": ("Entrar", "Usuario o contraseña incorrectos.", "La contraseña es la de fábrica.", "Salir"),
}


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("language", ["en", "es"])
@pytest_twisted.ensureDeferred
async def test_somebody_signs_in_chooses_a_password_and_signs_out(served, language, script):
    title, wrong, factory, leave = WORDS[language]
    await served.cookie("language", language)
    await served.open("/settings/web", None, 390, 844, script=script)
    assert await served.path() == "/login"
    assert await served.seen("h1") == title
    await served.fill(user="admin", password="b4d-0ne")
    await served.send("form[action='/login'] button[type=submit]")
    assert wrong in await served.seen()
    assert await served.browser.evaluate("document.querySelector('[name=user]').value") == "admin"
    assert await served.browser.evaluate("document.querySelector('[name=password]').value") == ""
    await served.fill(password="admin")
    await served.send("form[action='/login'] button[type=submit]")
    assert await served.path() == "/password"
    assert factory in await served.seen()
    await served.fill(previous="admin", new=GOOD, again=GOOD)
    await served.send("form[action='/password'] button[type=submit]")
    await served.open("/settings/web/configuration", None, 390, 844, script=script)
    assert await served.path() == "/settings/web/configuration"
    await served.send(".leave button")
    assert await served.path() == "/login"
    assert leave not in await served.seen("body")
    await served.open("/settings/web", None, 390, 844, script=script)
    assert await served.path() == "/login"


@pytest_twisted.ensureDeferred
async def test_language_and_theme_change_before_the_login(served):
    await served.open("/login", None, 390, 844)
    await served.browser.evaluate("void (document.querySelector('[name=language]').value = 'es')")
    await served.browser.evaluate("void (document.querySelector('[name=theme]').value = 'dark')")
    await served.send(".look button")
    assert await served.seen("h1") == "Entrar"
    assert await served.browser.evaluate("document.documentElement.dataset.theme") == "dark"
    ground = await served.browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(15, 18, 20)"


@pytest.mark.parametrize("script", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_user_is_added_and_removed_and_a_rule_is_made(served, script):
    await served.cookie(COOKIE, served.box.keys[Role.ADMINISTRATOR])
    await served.open("/settings/security", None, 390, 844, script=script)
    await served.fill(name="anna")
    await served.send("form[action$='/users'] button[type=submit]")
    assert "First password of anna" in await served.seen()
    await served.open("/settings/security", None, 390, 844, script=script)
    assert "First password" not in await served.seen()
    await served.send("a[href$='/users/anna']")
    await served.send("button[value=remove]")
    assert served.box.users.find("anna") is None
    assert "anna is removed." in await served.seen()
    await served.open("/settings/web/authentication", None, 390, 844, script=script)
    await served.fill(uri="/api")
    await served.send("main form button")
    assert "The rules are at work within a second." in await served.seen()
    assert [str(rule) for rule in served.box.config.web.rules] == ["/api basic"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "es"])
@pytest_twisted.ensureDeferred
async def test_everybody_can_use_these_pages_and_none_scrolls_sideways(served, language, theme):
    await served.cookie("language", language)
    now(served.box.users.add("anna", Role.VIEWER))
    served.box.https.make_anew()
    for path in ("/login", "/password", *PAGES):
        if path == "/password":
            await served.cookie(COOKIE, served.box.keys[Role.ADMINISTRATOR])
        for width, height in ((320, 700), (390, 844), (1280, 800)):
            await served.open(path, None, width, height, theme)
            assert await served.path() == path.partition("?")[0]
            assert width == 320 or await findings(served.browser) == [], (path, width)
            assert await served.browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)


@pytest_twisted.ensureDeferred
async def test_a_password_can_be_looked_at_while_it_is_typed_and_is_never_sent_as_a_text(served):
    await served.open("/login", None, 390, 844)
    await served.browser.until("document.querySelector('.box .button')")
    kind = "document.querySelector('[name=password]').type"
    assert await served.seen(".box .button") == "Show"
    await served.browser.evaluate("void document.querySelector('.box .button').click()")
    assert (await served.browser.evaluate(kind), await served.seen(".box .button")) == ("text", "Hide")
    assert await findings(served.browser) == []
    await served.browser.evaluate(
        "void document.querySelector('.form').addEventListener('submit', (event) => event.preventDefault())"
    )
    await served.browser.evaluate("void document.querySelector('.form .first').click()")
    assert await served.browser.evaluate(kind) == "password"
