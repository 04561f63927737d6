import re

import pytest

from concentrator.portal.pages.menu import found, plain
from concentrator.web.access import Role
from tests.portal.test_menu import ALL
from tests.support.web import FakeBox


@pytest.fixture
def box():
    return FakeBox()


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("synchronisation mode", "/devices/link"),
        ("dynamic assignment", "/devices/link"),
        ("vincular", "/devices/link"),
        ("latencia", "/settings/historic"),
        ("firmware", "/update"),
        ("10001", "/services/mbus"),
        ("FACTORY", "/reboot"),
        ("Wi", "/network/wifi"),
        ("mqtt serv", "/services/mqtt"),
    ],
)
def test_a_page_is_found_by_its_name_and_by_the_words_of_the_manuals(asked, path):
    assert path in [hit.path for hit in found(asked, "en", Role.ADMINISTRATOR, ALL)]


def test_the_search_answers_to_english_names_in_spanish_too_and_without_accents():
    for asked in ("historico", "Histórico", "history"):
        hits = found(asked, "es", Role.ADMINISTRATOR, ALL)
        assert "/history" in [hit.path for hit in hits]
        assert ("Histórico",) in [hit.names for hit in hits]


def test_nobody_finds_what_he_may_not_see_or_what_is_not_there():
    assert found("mqtt", "en", Role.VIEWER, ALL) == ()
    assert found("mqtt", "en", Role.ADMINISTRATOR, frozenset()) == ()
    assert found("zzz", "en", Role.ADMINISTRATOR, ALL) == ()


def test_capitals_and_accents_do_not_matter():
    assert plain("Añadir ÉXTERNO") == "anadir externo"


def test_the_page_has_the_tree_and_what_was_found(box, site):
    page = box.as_(Role.VIEWER, site, "/menu").text
    assert 'href="/info"' in page and 'href="/devices' in page
    hit = box.as_(Role.VIEWER, site, "/menu?q=info").text
    assert "1 found" in hit
    nothing = box.as_(Role.VIEWER, site, "/menu?q=%3Cb%3E").text
    assert re.search(r"Nothing in the menu is called (&#34;|&quot;)&lt;b&gt;", nothing)


def test_what_leads_somewhere_leads_to_a_page_that_is_there(box, site):
    page = box.as_(Role.VIEWER, site, "/menu").text
    for path in set(re.findall(r'<li><a href="(/[^"?]*)"', page)):
        assert box.as_(Role.VIEWER, site, path).status == 200, path
