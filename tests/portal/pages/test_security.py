import re
from urllib.parse import urlencode

import pytest

from concentrator.web.access import Role
from tests.support.security_box import SecurityBox, pem_pair
from tests.support.web import NOW, visit
from tests.web.test_users import GOOD, now

ADMIN = Role.ADMINISTRATOR
PATH = "/settings/security"
OTHER = "sol y sombra 12"


@pytest.fixture
def box(tmp_path):
    box = SecurityBox(tmp_path)
    now(box.users.begin("administrator"))
    now(box.users.set_password("administrator", OTHER))
    return box


@pytest.fixture
def site(box, clock):
    yield box.site(clock)
    assert not clock.getDelayedCalls()


def page(box, site, path=PATH, **request):
    return box.as_(ADMIN, site, path, **request)


def add(box, site, name="anna", role="viewer"):
    told = page(box, site, f"{PATH}/users", fields={"name": name, "role": role})
    assert told.status == 303, told.text
    return re.search(r'class="secret">([^<]+)', page(box, site).text)[1]


def test_a_user_added_gets_a_password_that_is_shown_once_and_that_he_must_change(box, site):
    password = add(box, site)
    assert password not in page(box, site).text
    user = now(box.users.check("anna", password))
    assert (user.role, user.must_change) == (Role.VIEWER, True)
    assert [entry.arguments for entry in box.audit if entry.action == "user.add"] == [
        {"name": "anna", "role": "viewer"}
    ] * 2
    assert "anna" in page(box, site).text and "must choose a password" in page(box, site).text


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("<script>alert(1)</script>", "User: letters, figures and . _ @ - only, at most 32."),
        ("Administrator", "User: Administrator is there already."),
        ("", "User: letters, figures and . _ @ - only, at most 32."),
    ],
)
def test_a_user_that_cannot_be_is_refused_beside_the_field_and_kept_as_typed(box, site, name, sentence):
    told = page(box, site, f"{PATH}/users", fields={"name": name, "role": "viewer"})
    assert told.status == 200
    assert sentence in told.text
    assert "<script>alert" not in told.text
    assert len(list(box.users)) == 1


def test_another_role_ends_the_sessions_that_had_the_one_before(box, site):
    add(box, site)
    key, _ = box.sessions.begin("anna", Role.VIEWER)
    page(box, site, f"{PATH}/users/anna", fields={"do": "role", "role": "installer"})
    assert box.users.find("anna").role is Role.INSTALLER
    assert box.sessions.find(key) is None
    assert "anna has another role and must sign in again." in page(box, site).text


def test_a_new_password_made_for_somebody_ends_his_sessions(box, site):
    first = add(box, site)
    key, _ = box.sessions.begin("anna", Role.VIEWER)
    page(box, site, f"{PATH}/users/anna", fields={"do": "reset"})
    second = re.search(r'class="secret">([^<]+)', page(box, site).text)[1]
    assert first != second
    assert now(box.users.check("anna", first)) is None
    assert now(box.users.check("anna", second)) is not None
    assert box.sessions.find(key) is None


def test_removing_somebody_is_asked_first_and_ends_his_sessions(box, site):
    add(box, site)
    key, _ = box.sessions.begin("anna", Role.VIEWER)
    asked = page(box, site, f"{PATH}/users/anna").text
    assert asked.index("Keep the user") < asked.index("Remove anna</button>")
    assert box.users.find("anna") is not None
    page(box, site, f"{PATH}/users/anna", fields={"do": "remove"})
    assert box.users.find("anna") is None
    assert box.sessions.find(key) is None
    assert page(box, site, f"{PATH}/users/anna").status == 404


def test_the_last_administrator_stays(box, site):
    told = page(box, site, f"{PATH}/users/administrator", fields={"do": "remove"})
    assert "administrator is the only administrator. Make another one first." in told.text
    assert box.users.find("administrator") is not None


def test_ones_own_password_asks_for_the_one_before(box, site):
    told = page(box, site, fields={"previous": "wrong", "new": GOOD, "again": GOOD})
    assert "Previous password: not the one in use." in told.text
    told = page(box, site, fields={"previous": OTHER, "new": GOOD, "again": GOOD})
    assert (told.status, told.headers["location"]) == (303, PATH)
    cookie = told.headers["set-cookie"].partition(";")[0]
    assert "Password saved." in visit(site, PATH, cookie=cookie).text
    assert page(box, site).headers["location"].startswith("/login")


def test_a_certificate_of_ones_own_is_looked_at_before_it_is_taken(box, site, tmp_path):
    assert "There is none yet." in page(box, site).text
    key, certificate = pem_pair("box.example")
    told = page(box, site, f"{PATH}/certificate", fields={"do": "install", "pem": certificate})
    assert "there is no private key in it" in told.text
    told = page(box, site, f"{PATH}/certificate", fields={"do": "install", "pem": key + certificate})
    assert told.status == 303, told.text
    shown = page(box, site).text
    assert "Your own certificate, good until" in shown and "box.example" in shown
    assert "PRIVATE KEY" not in shown.replace("-----BEGIN PRIVATE KEY-----", "")
    kept = tmp_path / "state" / "https-own.pem"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert all("PRIVATE" not in str(entry.arguments) for entry in box.audit)


def test_a_key_that_was_not_taken_is_not_sent_back(box, site):
    key, _ = pem_pair("box.example")
    _, other = pem_pair("other.example")
    told = page(box, site, f"{PATH}/certificate", fields={"do": "install", "pem": key + other})
    assert "the certificate is not that of the key" in told.text
    assert key.splitlines()[1] not in told.text


def test_a_certificate_can_come_as_a_file(box, site):
    key, certificate = pem_pair("box.example")
    session = box.sessions.find(box.keys[ADMIN])
    parts = [("token", "", session.token), ("do", "", "install"), ("pem", "", "")]
    parts.append(("pem-file", '; filename="box.pem"', key + certificate))
    body = "".join(
        f'--line\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{content}\r\n'
        for name, more, content in parts
    )
    request = {"method": "POST", "body": f"{body}--line--\r\n".encode()}
    told = page(box, site, f"{PATH}/certificate", content_type="multipart/form-data; boundary=line", **request)
    assert told.status == 303, told.text
    assert box.https.facts()["names"] == ["box.example"]


def test_a_certificate_can_be_made_anew(box, site):
    assert page(box, site, f"{PATH}/certificate", fields={"do": "make"}).status == 303
    shown = page(box, site).text
    assert "Made by this box and signed by itself" in shown and "A new certificate was made and is in use." in shown
    assert box.https.facts()["ends_at"] > NOW


@pytest.mark.parametrize("role", [Role.VIEWER, Role.INSTALLER])
def test_who_is_no_administrator_sees_and_changes_nothing_of_it(box, site, role):
    add(box, site)
    assert box.as_(role, site, PATH).status == 403
    for path, fields in (
        (f"{PATH}/users", {"name": "eve", "role": "administrator"}),
        (f"{PATH}/users/anna", {"do": "role", "role": "administrator"}),
        (f"{PATH}/certificate", {"do": "make"}),
    ):
        assert box.as_(role, site, path, fields=fields).status == 403
    assert {each.name: each.role.value for each in box.users} == {"administrator": "administrator", "anna": "viewer"}


def test_the_page_speaks_spanish(box, site):
    shown = page(box, site, accept_language="es")
    assert "Su propia contraseña" in shown.text and "Certificado HTTPS" in shown.text


def test_a_form_without_the_token_of_the_session_changes_nothing(box, site):
    add(box, site)
    for token in ("", "wrong"):
        body = urlencode({"token": token, "do": "remove"}).encode()
        told = page(
            box,
            site,
            f"{PATH}/users/anna",
            method="POST",
            body=body,
            content_type="application/x-www-form-urlencoded",
        )
        assert told.status == 403
    assert box.users.find("anna") is not None
