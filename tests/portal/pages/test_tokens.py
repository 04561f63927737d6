import html
import re

import pytest

from concentrator.actions.tokens import token_actions
from concentrator.web.access import Role
from tests.support.web import NOW, FakeBox

PATH = "/services/tokens"


@pytest.fixture
def box():
    box = FakeBox()
    for action in token_actions(box.tokens, lambda: NOW):
        box.table.register(action)
    return box


def test_a_token_is_shown_once_when_it_is_made(box, site):
    fields = {"name": "grafana", "read": "on", "link": "on"}
    made = box.as_(Role.ADMINISTRATOR, site, PATH, fields=fields)
    secret = re.search(r"<code>(ccm_[\w-]+)</code>", made.text).group(1)
    assert box.tokens.find(secret).allowed == ("link", "read")
    page = box.as_(Role.ADMINISTRATOR, site, PATH)
    assert secret not in page.text
    assert "grafana" in page.text and "link, read" in page.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "grafana"}, "Allows: nothing is ticked. Choose at least one."),
        ({"name": "", "read": "on"}, "name"),
        ({"name": "taken", "read": "on"}, "there is a token 'taken' already"),
    ],
)
def test_what_cannot_be_a_token_is_said_beside_its_field_and_what_was_typed_stays(box, site, fields, words):
    box.tokens.add("taken", ["read"], NOW)
    page = box.as_(Role.ADMINISTRATOR, site, PATH, fields=fields)
    assert words in html.unescape(page.text)
    assert "Nothing was saved." in page.text
    assert f'value="{fields["name"]}"' in page.text
    assert [each.name for each in box.tokens] == ["taken"]


def test_a_token_is_taken_back(box, site):
    box.tokens.add("<b>x</b>", ["read"], NOW)
    page = box.as_(Role.ADMINISTRATOR, site, PATH)
    assert "&lt;b&gt;x&lt;/b&gt;" in page.text and "<b>x</b>" not in page.text
    gone = box.as_(Role.ADMINISTRATOR, site, f"{PATH}/remove", fields={"name": "<b>x</b>"})
    assert (gone.status, gone.headers["location"]) == (303, PATH)
    assert "was taken back" in box.as_(Role.ADMINISTRATOR, site, PATH).text
    assert list(box.tokens) == []


def test_one_that_is_gone_already_is_said_so(box, site):
    box.as_(Role.ADMINISTRATOR, site, f"{PATH}/remove", fields={"name": "nothing"})
    assert "There is nothing of this name: token nothing" in box.as_(Role.ADMINISTRATOR, site, PATH).text


@pytest.mark.parametrize("role", [Role.VIEWER, Role.INSTALLER])
def test_tokens_are_the_administrators_matter(box, site, role):
    assert box.as_(role, site, PATH).status == 403
    assert box.as_(role, site, PATH, fields={"name": "x", "read": "on"}).status == 403
    assert box.as_(role, site, f"{PATH}/remove", fields={"name": "x"}).status == 403
