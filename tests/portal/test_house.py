import re

import pytest

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission
from concentrator.portal.house import part_of
from concentrator.web.access import Role
from tests.support.web import FakeBox, visit

OUTPUT = Argument("output", Kind.TEXT, "which")
ON = Argument("on", Kind.FLAG, "whether")


@pytest.fixture
def box():
    return FakeBox()


def test_a_page_has_its_title_its_trail_and_the_menu_of_whoever_looks(box, site):
    page = box.as_(Role.ADMINISTRATOR, site, "/panel").text
    assert "<title>Panel · Settings · CcMaster 4220080001</title>" in page
    assert re.search(r'<p class="crumb">\s*Settings\s*</p>', page) and "<h1>Panel</h1>" in page
    assert '<a href="/panel" aria-current="page">Panel</a>' in page
    assert 'href="/settings/security"' in page
    assert 'href="/settings/security"' not in box.as_(Role.VIEWER, site, "/panel").text


def test_it_is_in_the_language_and_theme_that_were_chosen(box, site):
    page = box.as_(Role.VIEWER, site, "/menu", accept_language="es-ES").text
    assert '<html lang="es">' in page and "Buscar" in page
    cookie = f"ccmaster={box.keys[Role.VIEWER]}; language=es; theme=dark"
    page = visit(site, "/menu", cookie=cookie).text
    assert '<html lang="es" data-theme="dark">' in page


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/settings/security", 403)])
def test_what_stands_where_a_page_cannot_has_the_frame_too(box, site, path, status):
    page = box.as_(Role.VIEWER, site, path)
    assert page.status == status
    assert '<nav class="menu"' in page.text and "4220080001" in page.text


def test_who_may_not_is_told_which_role_is_needed(box, site):
    assert (
        "You are signed in as viewer. This page needs administrator."
        in box.as_(Role.VIEWER, site, "/settings/security").text
    )


def test_a_form_from_elsewhere_is_told_so(box, site):
    page = box.as_(Role.INSTALLER, site, "/panel", fields={"token": "stolen", "output": "relay1"})
    assert page.status == 403
    assert "This form was not sent from a page of yours" in page.text


@pytest.mark.parametrize("role", [Role.INSTALLER, Role.ADMINISTRATOR])
def test_what_is_asked_for_a_visitor_is_asked_in_his_name(box, site, role):
    box.table.register(Action("output.set", "Sets.", Permission.OUTPUT, (OUTPUT, ON), lambda output, on: {}))
    assert box.as_(role, site, "/panel", fields={"output": "relay1", "on": "on"}).status == 303
    assert [(entry.caller, entry.outcome) for entry in box.audit] == [(role.value, "begun"), (role.value, "done")]


@pytest.mark.parametrize(
    ("cell", "part", "text"),
    [
        ({"text": "2.41", "unit": "kW"}, "readout", "2.41\u00a0kW"),
        ({"text": "—", "unit": "kW"}, "readout", "—"),
        ({"words": "{ago}"}, "words", "said"),
        ({"health": "up"}, "health", "up"),
    ],
)
def test_a_part_of_a_cell_is_drawn_as_the_script_shows_it(cell, part, text):
    assert part_of(cell, part, lambda cell: "said") == text
