import base64
import hashlib
import re

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import ISSLTransport
from twisted.web.resource import Resource
from zope.interface import alsoProvides

from concentrator.web.access import Role
from concentrator.web.conduct import Conduct
from concentrator.web.doorman import REMEMBERED_S, Doorman, realms_of
from concentrator.web.gate import Gate
from concentrator.web.session import Sessions
from concentrator.web.site import GuardedSite
from concentrator.web.tries import FREE, Tries
from concentrator.web.uri_rules import rule_of
from concentrator.web.users import Users
from tests.support.web import BROWSER, CHEAP, Visit, at_once, visit
from tests.web.test_users import GOOD, now

OTHER = "sol y sombra 12"


class Open(Resource):
    isLeaf = True  # noqa: N815

    def render(self, request):
        return b"inside"


class Door:
    """A site with a doorman, whose rules can be changed; `checks` counts the passwords that were hashed."""

    def __init__(self, clock):
        self.checks = 0
        users = Users(None, lambda content: None, self._job, cost=CHEAP)
        now(users.begin("anna", GOOD))
        now(users.add("ben", Role.VIEWER, OTHER))
        now(users.check("nobody", OTHER))  # what stands for the unknown is made once
        self.gate = Gate(users, Sessions(clock), Tries(clock))
        doorman = Doorman(self.gate, clock, lambda: self.site.conduct)
        self.site = GuardedSite(Open(), clock, doorman.admit)

    def _job(self, job):
        self.checks += 1
        return at_once(job)

    def rules(self, *texts, **conduct):
        rules = tuple(map(rule_of, texts))
        self.site.conduct = Conduct(rules=rules, **conduct)
        self.gate.users.take_digests(realms_of(rules))
        self.checks = 0


@pytest.fixture
def door(clock):
    yield Door(clock)
    assert not clock.getDelayedCalls()


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def ask_secure(site, path, **request):
    visitor = Visit(site)
    alsoProvides(visitor.transport, ISSLTransport)
    visitor.ask(path, **request)
    try:
        return visitor.answer()
    finally:
        visitor.end()


def test_without_a_rule_everybody_is_let_in_as_far_as_the_page(door):
    assert visit(door.site, "/api").text == "inside"


def test_a_basic_rule_lets_in_its_users_only_and_only_under_its_address(door):
    door.rules("/api basic users=anna realm=Main house")
    asked = visit(door.site, "/api/status")
    assert asked.status == 401
    assert asked.headers["www-authenticate"] == 'Basic realm="Main house", charset="UTF-8"'
    assert "inside" not in asked.text
    assert visit(door.site, "/api/status", authorization=basic("anna", GOOD)).text == "inside"
    assert visit(door.site, "/api/status", authorization=basic("anna", OTHER)).status == 401
    assert visit(door.site, "/api/status", authorization=basic("ben", OTHER)).status == 401
    assert visit(door.site, "/devices").text == "inside"


def test_a_rule_that_names_nobody_takes_every_user(door):
    door.rules("/ basic")
    assert visit(door.site, "/", authorization=basic("ben", OTHER)).text == "inside"
    assert visit(door.site, "/", authorization=basic("eve", OTHER)).status == 401


def test_a_deeper_rule_overrides_the_one_above_it(door):
    door.rules("/ basic", "/healthz none")
    assert visit(door.site, "/healthz").text == "inside"
    assert visit(door.site, "/healthz/x").text == "inside"
    assert visit(door.site, "/healthzx").status == 401
    assert visit(door.site, "//").status == 401


@pytest.mark.parametrize("words", ["Basic", "Basic !!!", "Basic YQ==", "Bearer x", "Basic /w==", "basic"])
def test_what_is_no_password_is_asked_again(door, words):
    door.rules("/ basic")
    assert visit(door.site, "/", authorization=words).status == 401


def test_a_password_that_was_right_is_not_hashed_for_every_picture_of_a_page(door, clock):
    door.rules("/ basic")
    for _ in range(5):
        assert visit(door.site, "/", authorization=basic("anna", GOOD)).text == "inside"
    assert door.checks == 1
    clock.advance(REMEMBERED_S + 1)
    visit(door.site, "/", authorization=basic("anna", GOOD))
    assert door.checks == 2


def test_a_password_that_was_changed_is_not_remembered(door):
    door.rules("/ basic")
    visit(door.site, "/", authorization=basic("anna", GOOD))
    now(door.gate.users.set_password("anna", "nuevo verano 31"))
    assert visit(door.site, "/", authorization=basic("anna", GOOD)).status == 401
    door.gate.users.remove("ben")
    assert visit(door.site, "/", authorization=basic("ben", OTHER)).status == 401


def test_tries_are_slowed_down_here_as_at_the_login(door):
    door.rules("/ basic")
    for _ in range(FREE):
        assert visit(door.site, "/", authorization=basic("anna", "wrong")).status == 401
    told = visit(door.site, "/", authorization=basic("anna", GOOD))
    assert (told.status, told.headers["retry-after"]) == (429, "1")


def test_who_leaves_while_his_password_is_checked_leaves_nothing_behind(door):
    door.rules("/ basic")
    waiting = Deferred()
    door.gate.users._in_thread = lambda job: waiting
    door.gate.users._nobody = "x"
    visitor = Visit(door.site)
    visitor.ask("/", authorization=basic("anna", GOOD))
    visitor.end()
    waiting.callback(True)
    assert b"inside" not in visitor.transport.value()


def test_an_ssl_rule_sends_readers_to_https_and_refuses_everything_else(door):
    door.rules("/services ssl", secure_port=8443)
    told = visit(door.site, "/services/mqtt?a=b", host="box.example:8080")
    assert (told.status, told.headers["location"]) == (307, "https://box.example:8443/services/mqtt?a=b")
    assert "location" not in visit(door.site, "/services/mqtt", method="POST", body=b"password=x").headers
    assert visit(door.site, "/services/mqtt", method="POST", body=b"x").status == 403
    assert visit(door.site, "/devices").text == "inside"
    assert ask_secure(door.site, "/services/mqtt").text == "inside"


def test_without_https_an_ssl_rule_lets_nobody_in(door):
    door.rules("/ ssl")
    assert visit(door.site, "/").status == 403


@pytest.mark.parametrize("host", ["evil.example/@x", "a b", "", "x<script>", "evil.example\\@box"])
def test_nobody_is_sent_to_a_place_that_is_no_name(door, host):
    door.rules("/ ssl", secure_port=443)
    assert visit(door.site, "/", host=host).status in (400, 403)


def test_where_only_https_is_wanted_everybody_is_sent_there_and_browsers_remember(door):
    door.rules(secure_port=443, is_redirecting=True)
    told = visit(door.site, "/devices", host="[2001:db8::1]:80")
    assert told.headers["location"] == "https://[2001:db8::1]/devices"
    assert "strict-transport-security" not in told.headers
    secure = ask_secure(door.site, "/devices")
    assert (secure.text, secure.headers["strict-transport-security"]) == ("inside", "max-age=15552000")


def test_ssl_basic_asks_for_a_password_only_where_nobody_can_hear_it(door):
    door.rules("/ ssl/basic", secure_port=8443)
    assert visit(door.site, "/", authorization=basic("anna", GOOD)).status == 307
    assert ask_secure(door.site, "/").status == 401
    assert ask_secure(door.site, "/", authorization=basic("anna", GOOD)).text == "inside"


# -- digest


def md5(*parts):
    return hashlib.md5(":".join(parts).encode()).hexdigest()


def challenge(answer):
    assert answer.status == 401
    kind, _, words = answer.headers["www-authenticate"].partition(" ")
    assert kind == "Digest"
    return dict(re.findall(r'(\w+)="?([^",]+)"?', words))


def digest(asked, name, password, uri, method="GET", **changed):
    said = {"username": name, "realm": asked["realm"], "nonce": asked["nonce"], "opaque": asked["opaque"], "uri": uri}
    said |= {"qop": "auth", "nc": "00000001", "cnonce": "0a4f113b", "algorithm": "MD5"}
    first, second = md5(name, asked["realm"], password), md5(method, uri)
    said["response"] = md5(first, said["nonce"], said["nc"], said["cnonce"], "auth", second)
    return "Digest " + ", ".join(f'{key}="{value}"' for key, value in (said | changed).items())


def test_a_digest_rule_lets_in_who_knows_the_password_once_he_has_signed_in(door):
    door.rules("/api digest users=anna")
    asked = challenge(visit(door.site, "/api"))
    assert (asked["realm"], asked["qop"], asked["algorithm"]) == ("config", "auth", "MD5")
    right = digest(asked, "anna", GOOD, "/api")
    assert visit(door.site, "/api", authorization=right).status == 401  # the box does not know the hash yet
    now(door.gate.sign_in("192.0.2.1", "anna", GOOD))
    assert visit(door.site, "/api", authorization=right).text == "inside"
    assert visit(door.site, "/api", authorization=digest(asked, "anna", OTHER, "/api")).status == 401
    now(door.gate.sign_in("192.0.2.1", "ben", OTHER))
    assert visit(door.site, "/api", authorization=digest(asked, "ben", OTHER, "/api")).status == 401


def test_a_digest_is_for_one_address_one_method_and_one_visitor(door):
    door.rules("/ digest")
    now(door.gate.sign_in("192.0.2.1", "anna", GOOD))
    asked = challenge(visit(door.site, "/api"))
    right = digest(asked, "anna", GOOD, "/api")
    assert visit(door.site, "/other", authorization=right).status == 401
    assert visit(door.site, "/api", method="POST", body=b"x", authorization=right).status == 401
    assert visit(door.site, "/api", IPv4Address("TCP", "192.0.2.9", 1), authorization=right).status == 401
    assert visit(door.site, "/api", BROWSER, authorization=right).text == "inside"


@pytest.mark.parametrize(
    "changed",
    [
        {"qop": "auth-int"}, {"algorithm": "md5-sess"}, {"algorithm": "sha"}, {"nc": ""}, {"opaque": "x"},
        {"opaque": "a-!"}, {"nonce": "x"}, {"username": ""}, {"response": ""}, {"opaque": "00-eA=="},
    ],
)  # fmt: skip
def test_a_digest_that_is_not_as_it_was_asked_for_lets_nobody_in(door, changed):
    door.rules("/ digest")
    now(door.gate.sign_in("192.0.2.1", "anna", GOOD))
    asked = challenge(visit(door.site, "/"))
    assert visit(door.site, "/", authorization=digest(asked, "anna", GOOD, "/", **changed)).status == 401


def test_a_question_that_is_too_old_is_asked_anew_without_asking_for_the_password(door):
    door.rules("/ digest")
    asked = challenge(visit(door.site, "/"))
    other = challenge(visit(door.site, "/"))
    mixed = digest(asked | {"opaque": other["opaque"]}, "anna", GOOD, "/")
    assert challenge(visit(door.site, "/", authorization=mixed))["stale"] == "true"


def test_wrong_digests_are_slowed_down_too(door):
    door.rules("/ digest")
    asked = challenge(visit(door.site, "/"))
    for _ in range(FREE):
        visit(door.site, "/", authorization=digest(asked, "anna", "wrong", "/"))
    assert visit(door.site, "/", authorization=digest(asked, "anna", "wrong", "/")).status == 429


def test_who_signs_in_by_digest_is_told_from_the_rules():
    rules = map(rule_of, ("/ digest", "/api ssl/digest users=anna,ben realm=two", "/x basic users=carla"))
    assert realms_of(rules) == {"": {"config"}, "anna": {"two"}, "ben": {"two"}}
