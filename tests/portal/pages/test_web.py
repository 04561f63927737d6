import tomllib

import pytest

from concentrator.web.access import Role
from concentrator.web.http_log import DEFAULT_FORMAT
from tests.support.security_box import SecurityBox
from tests.support.web import visit
from tests.web.test_users import now

ADMIN = Role.ADMINISTRATOR
PATH, CONFIGURATION, AUTHENTICATION = (f"/settings/web{tab}" for tab in ("", "/configuration", "/authentication"))


@pytest.fixture
def box(tmp_path):
    box = SecurityBox(tmp_path)
    now(box.users.begin("administrator"))
    return box


@pytest.fixture
def site(box, clock):
    yield box.site(clock)
    assert not clock.getDelayedCalls()


def page(box, site, path=PATH, **request):
    return box.as_(ADMIN, site, path, **request)


def kept(box):
    return tomllib.loads(box.text).get("web", {})


def test_the_statistics_have_the_manuals_labels_and_what_was_served(box, site):
    visit(site, "/login")
    text = page(box, site).text
    for label in ("Rx Bytes", "Tx Bytes", "408 - Request Timeout", "413 - Request Too Large", "Work Queue Full"):
        assert f'<th scope="row">{label}</th>' in text
    assert '<th scope="row">200 - OK</th><td class="number">1</td>' in text
    assert "GET /login" not in text


def test_the_log_is_viewed_and_cleared(box, site):
    visit(site, "/login?x=<script>alert(1)</script>", user_agent="<b>Probe</b>")
    text = page(box, site, f"{PATH}?log=view").text
    assert "&#34;GET /login?x=&lt;script&gt;alert(1)&lt;/script&gt; HTTP/1.1&#34; 200" in text
    assert "&lt;b&gt;Probe&lt;/b&gt;" in text
    assert "<script>alert" not in text
    told = page(box, site, f"{PATH}/clear", fields={})
    assert told.status == 303
    text = page(box, site, f"{PATH}?log=view").text
    assert "The log is empty. The counts go on." in text
    assert "/login?x=" not in text


def test_the_configuration_has_the_manuals_fields_with_its_defaults(box, site):
    text = page(box, site, CONFIGURATION).text
    for shown in ('value="8080"', 'value="10 s"', 'value="40 KiB"', 'value="50"', "%h %t &#34;%r&#34; %s %B"):
        assert shown in text
    assert "TLS1.2" in text and "TLS1.3" in text
    assert "bytes sent excluding headers (0 = &#39;-&#39;)" in text


def fields(**changed):
    usual = {
        "web-listen": "8080",
        "web-https": "",
        "web-tls-1.2": "on",
        "web-tls-1.3": "on",
        "web-max_timeout": "10 s",
        "web-max_bytes": "40 KiB",
        "web-log": "on",
        "web-log_entries": "50",
        "web-log_format": DEFAULT_FORMAT,
    }
    return {name: value for name, value in (usual | changed).items() if value is not None}


def test_what_is_typed_goes_into_the_file(box, site):
    sent = {"web-listen": "80 tcp:8080:interface=127.0.0.1", "web-https": "443", "web-tls-1.2": None}
    told = page(box, site, CONFIGURATION, fields=fields(**sent, **{"web-log_entries": "100"}))
    assert told.status == 303, told.text
    assert kept(box) == {
        "listen": ["tcp:80", "tcp:8080:interface=127.0.0.1"],
        "https": ["tcp:443"],
        "tls": ["1.3"],
        "log_entries": 100,
    }
    assert box.config.web.secure_port == 443
    text = page(box, site, CONFIGURATION).text
    assert 'value="80 tcp:8080:interface=127.0.0.1"' in text and 'value="443"' in text


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"web-listen": "http"}, "listen"),
        ({"web-listen": "70000"}, "listen"),
        ({"web-max_timeout": "0 s"}, "max_timeout"),
        ({"web-max_bytes": "1 B"}, "max_bytes"),
        ({"web-log_entries": "0"}, "log_entries"),
        ({"web-log_format": "%z"}, "log_format"),
        ({"web-tls-1.2": None, "web-tls-1.3": None}, "tls"),
        ({"web-redirect": "on"}, "redirect"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_kept_as_typed(box, site, sent, field):
    told = page(box, site, CONFIGURATION, fields=fields(**sent))
    assert told.status == 200
    assert f'id="f-web-{field}-fault"' in told.text
    assert all(f'value="{typed}"' in told.text for typed in sent.values() if typed not in (None, "on"))
    assert kept(box) == {}


def rule(**changed):
    return {"uri": "/api", "realm": "config", "way": "basic"} | changed


def test_rules_are_added_and_deleted_and_one_for_the_same_address_takes_the_place_of_the_one_before(box, site):
    now(box.users.add("anna", Role.VIEWER))
    assert page(box, site, AUTHENTICATION, fields=rule()).status == 303
    page(box, site, AUTHENTICATION, fields=rule(uri="/api/", way="digest", realm="Main house") | {"users-anna": "on"})
    page(box, site, AUTHENTICATION, fields=rule(uri="/healthz", way="none"))
    assert kept(box)["rules"] == ["/api/ digest users=anna realm=Main house", "/healthz none"]
    text = page(box, site, AUTHENTICATION).text
    assert "Main house" in text and "Digest" in text
    page(box, site, f"{AUTHENTICATION}/delete", fields={"rule": "/healthz none"})
    page(box, site, f"{AUTHENTICATION}/delete", fields={"rule": "/api/ digest users=anna realm=Main house"})
    assert kept(box).get("rules", []) == []
    assert "There are no rules: the login alone decides." in page(box, site, AUTHENTICATION).text


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"uri": "api"}, "URI: must begin with /."),
        ({"uri": ""}, "URI: must begin with /."),
        ({"uri": "/a b"}, "URI, Realm: no blanks"),
        ({"realm": 'a"b'}, "URI, Realm: no blanks"),
        ({"realm": "a\r\nSet-Cookie: x"}, "URI, Realm: no blanks"),
        ({"way": "kerberos"}, "URI, Realm: no blanks"),
        ({"way": "ssl/basic"}, "AuthType: SSL needs HTTPS, which is off."),
    ],
)
def test_a_rule_that_cannot_be_is_refused(box, site, sent, sentence):
    told = page(box, site, AUTHENTICATION, fields=rule(**sent))
    assert told.status == 200
    assert sentence in told.text
    assert kept(box) == {}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("/services/mqtt", "For /services/mqtt: the rule of /services/mqtt, None."),
        ("/services/ftp", "For /services/ftp: the rule of /services, Basic."),
        ("/devices", "For /devices: no rule. The login alone decides."),
        ("<b>", "For &lt;b&gt;: no rule."),
    ],
)
def test_the_tester_says_which_rule_wins(box, site, asked, said):
    for uri, way in (("/services", "basic"), ("/services/mqtt", "none")):
        page(box, site, AUTHENTICATION, fields=rule(uri=uri, way=way))
    assert said in page(box, site, f"{AUTHENTICATION}?for={asked}").text


def test_it_is_said_who_must_sign_in_once_before_digest_lets_him_in(box, site):
    now(box.users.add("anna", Role.VIEWER))
    page(box, site, AUTHENTICATION, fields=rule(way="digest") | {"users-anna": "on"})
    assert "anna: must sign in once more before Digest lets them in" in page(box, site, AUTHENTICATION).text


@pytest.mark.parametrize("role", [Role.VIEWER, Role.INSTALLER])
def test_only_an_administrator_comes_here_or_changes_it_by_any_other_road(box, site, role):
    for path in (PATH, CONFIGURATION, AUTHENTICATION):
        assert box.as_(role, site, path).status == 403
    assert box.as_(role, site, CONFIGURATION, fields=fields(**{"web-listen": "81"})).status == 403
    assert kept(box) == {}


def test_the_pages_speak_spanish(box, site):
    for path, word in ((PATH, "Estadísticas"), (CONFIGURATION, "Puerto HTTP"), (AUTHENTICATION, "¿Qué regla cuenta")):
        assert word in page(box, site, path, accept_language="es").text
