import pytest
from twisted.web.resource import Resource

from concentrator.actions.table import Permission
from concentrator.model.errors import NotSignedIn
from concentrator.portal.callers import ALLOWED, callers
from concentrator.web.access import Role
from concentrator.web.route import COOKIE
from concentrator.web.session import Sessions
from concentrator.web.site import GuardedSite
from concentrator.web.tokens import Tokens
from tests.support.web import visit


class Asked(Resource):
    """Says who asked."""

    isLeaf = True  # noqa: N815

    def __init__(self, who):
        super().__init__()
        self.who = who

    def render(self, request):
        try:
            caller = self.who(request)
        except NotSignedIn as error:
            return f"nobody: {error}".encode()
        return f"{caller.name}: {' '.join(sorted(caller.allowed))}".encode()


@pytest.fixture
def sessions(clock):
    return Sessions(clock)


@pytest.fixture
def tokens():
    return Tokens(lambda content: None)


@pytest.fixture
def site(sessions, tokens, clock):
    return GuardedSite(Asked(callers(sessions, tokens)), clock)


def test_a_program_is_known_by_its_token_and_may_what_that_allows(site, tokens):
    secret = tokens.add("grafana", ["read", "link"], 0.0)
    for scheme in ("Bearer", "bearer"):
        assert visit(site, "/", authorization=f"{scheme} {secret}").text == "token grafana: link read"
        assert visit(site, "/", method="POST", authorization=f"{scheme} {secret}").text == "token grafana: link read"


@pytest.mark.parametrize("said", ["Bearer", "Bearer ", "Bearer ccm_nothing", "Bearer {secret}x", "Basic {secret}"])
def test_who_sends_no_token_that_is_known_is_nobody(site, tokens, said):
    secret = tokens.add("grafana", ["read"], 0.0)
    assert visit(site, "/", authorization=said.format(secret=secret)).text.startswith("nobody: ")


def test_a_token_that_is_wrong_is_not_made_good_by_a_session(site, sessions):
    key, _ = sessions.begin("ana", Role.ADMINISTRATOR)
    assert visit(site, "/", cookie=f"{COOKIE}={key}", authorization="Bearer ccm_x").text.startswith("nobody: ")


@pytest.mark.parametrize("role", Role)
def test_a_page_reads_by_its_session_what_the_role_allows(site, sessions, role):
    key, _ = sessions.begin("ana", role)
    assert visit(site, "/", cookie=f"{COOKIE}={key}").text == f"ana: {' '.join(sorted(ALLOWED[role]))}"


def test_a_role_opens_more_than_the_one_before_it():
    assert ALLOWED[Role.VIEWER] == {Permission.READ}
    assert ALLOWED[Role.VIEWER] < ALLOWED[Role.INSTALLER] < ALLOWED[Role.ADMINISTRATOR] == frozenset(Permission)


def test_a_session_changes_things_with_the_token_of_its_page_only(site, sessions):
    key, session = sessions.begin("ana", Role.INSTALLER)
    cookie = f"{COOKIE}={key}"
    assert visit(site, "/", method="POST", cookie=cookie, x_ccmaster_token=session.token).text.startswith("ana: ")
    refused = [
        {},
        {"x_ccmaster_token": session.token[:-1]},
        {"x_ccmaster_token": session.token, "origin": "http://evil.example"},
        {"x_ccmaster_token": session.token, "sec_fetch_site": "cross-site"},
    ]
    for headers in refused:
        assert visit(site, "/", method="POST", cookie=cookie, **headers).text.startswith("nobody: ")


def test_who_must_choose_a_password_first_is_nobody(site, sessions):
    key, _ = sessions.begin("ana", Role.ADMINISTRATOR, must_change=True)
    assert visit(site, "/", cookie=f"{COOKIE}={key}").text.startswith("nobody: ")
