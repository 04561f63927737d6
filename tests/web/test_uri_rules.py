import pytest

from concentrator.web.uri_rules import UriRule, Way, rule_of, winner


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("/ none", UriRule("/", Way.NONE)),
        ("/api ssl/basic users=anna", UriRule("/api", Way.SSL_BASIC, ("anna",))),
        ("/api digest users=anna,ben realm=Main house", UriRule("/api", Way.DIGEST, ("anna", "ben"), "Main house")),
        ("/x ssl realm=config", UriRule("/x", Way.SSL)),
    ],
)
def test_a_rule_is_one_line_and_comes_back_the_same(text, rule):
    assert rule_of(text) == rule
    assert rule_of(str(rule)) == rule


@pytest.mark.parametrize(
    "text",
    ["", "/", "api basic", "/api kerberos", "/api basic users=", "/a b basic", '/api basic realm="x"', "/api?x basic",
     "/api basic realm=a\r\nSet-Cookie: x", "/api basic users=a b", "/api BASIC", "/api basic realm=" + "x" * 65],
)  # fmt: skip
def test_what_is_no_rule_is_refused(text):
    with pytest.raises(ValueError, match="expected"):
        rule_of(text)


RULES = tuple(
    map(rule_of, ("/ digest", "/services ssl", "/services/mqtt none", "/api basic", "/devices/m%C3%A1in ssl"))
)


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("/", "/"),
        ("/devices", "/"),
        ("/services", "/services"),
        ("/services/", "/services"),
        ("/services/ftp", "/services"),
        ("/services/mqtt", "/services/mqtt"),
        ("/services/mqtt/two?x=/api", "/services/mqtt"),
        ("/servicesx", "/"),
        ("//services//ftp", "/services"),
        ("/%73ervices/ftp", "/services"),
        ("/api/v1/devices", "/api"),
        ("/devices/máin", "/devices/m%C3%A1in"),
        ("/services%2Fmqtt", "/"),
    ],
)
def test_the_deepest_rule_wins_however_the_address_is_spelled(path, uri):
    assert winner(RULES, path).uri == uri


def test_without_a_rule_nobody_wins_and_of_two_for_one_address_the_later_does():
    assert winner((), "/api") is None
    assert winner((rule_of("/api ssl"),), "/devices") is None
    assert winner((rule_of("/api ssl"), rule_of("/api/ basic")), "/api/x").way is Way.BASIC


def test_the_manuals_six_types_are_named_as_in_the_manual():
    assert [way.label for way in Way] == ["None", "Basic", "Digest", "SSL", "SSL/Basic", "SSL/Digest"]
    assert [way for way in Way if way.takes_ssl] == [Way.SSL, Way.SSL_BASIC, Way.SSL_DIGEST]
    assert [way for way in Way if way.takes_basic] == [Way.BASIC, Way.SSL_BASIC]
    assert [way for way in Way if way.takes_digest] == [Way.DIGEST, Way.SSL_DIGEST]
