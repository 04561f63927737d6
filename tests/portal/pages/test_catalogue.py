import re

import pytest

from concentrator.web.access import Role
from tests.support.devices_box import CATALOGUE, DevicesBox
from tests.support.pages import words_of


@pytest.fixture
def box():
    return DevicesBox()


@pytest.fixture
def page(box, site):
    return lambda path, **request: box.as_(Role.VIEWER, site, path, **request)


def test_the_catalogue_is_searched_by_words(page):
    every = page("/devices/catalogue").text
    assert all(f'href="/devices/catalogue/{heading.key}"' in every for heading in CATALOGUE.headings())
    found = page("/devices/catalogue?q=sdm630").text
    assert re.findall(r'href="/devices/catalogue/([^"]+)"', found) == ["eastron/sdm630"]
    assert "Nothing called" in page("/devices/catalogue?q=zzz").text


def test_a_profile_is_told_with_its_status_doubts_and_variables(page):
    text = words_of(page("/devices/catalogue/goodwe/et").text)
    profile = CATALOGUE.get("goodwe/et")
    assert f"Variables ({len(profile.points)})" in text and "Modbus ID 247" in text.replace("ID Modbus", "Modbus ID")
    assert profile.doubts[0].split("`")[0][:40].replace("  ", " ") in text.replace("&#39;", "'")
    spanish = words_of(page("/devices/catalogue/goodwe/et", accept_language="es").text)
    assert "Dudas" in spanish and "potencia activa" in spanish


def test_every_profile_has_a_page(page):
    for heading in CATALOGUE.headings():
        assert page(f"/devices/catalogue/{heading.key}").status == 200


def test_a_profile_that_is_not_there_is_404(page):
    for path in ("/devices/catalogue/no/such", "/devices/catalogue/..%2F..%2Fetc/passwd"):
        assert page(path).status == 404


def test_only_who_may_add_is_offered_it(box, site, page):
    assert "Add one" not in page("/devices/catalogue/goodwe/et").text
    assert "Add one" in box.as_(Role.INSTALLER, site, "/devices/catalogue/goodwe/et").text
