import re
from pathlib import Path

from concentrator.app.devices_page import devices_page
from concentrator.profile.catalogue import Catalogue

PAGE = Path(__file__).parents[2] / "docs" / "devices.md"
CATALOGUE = Catalogue()


def test_the_page_in_docs_is_the_catalogues_own():
    assert PAGE.read_text() == devices_page(CATALOGUE), "run: make docs"


def test_every_profile_has_its_models_variables_status_and_doubts_on_it():
    parts = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", devices_page(CATALOGUE), re.MULTILINE | re.DOTALL))
    assert set(parts) == set(CATALOGUE.keys())
    for key, part in parts.items():
        profile = CATALOGUE.get(key)
        assert f"* Status: {profile.status}; {profile.confidence}" in part
        for word in (*profile.models, *profile.doubts, *profile.sources):
            assert word in part
        for point in profile.points:
            assert point.identifies or re.search(rf"(\*\*|[ ]){point.name}(\*\*|[ ;\n])", part), point.name


def test_every_link_of_it_leads_to_a_heading():
    page = devices_page(CATALOGUE)
    headings = {re.sub(r"[^a-z0-9-]", "", heading.lower()) for heading in re.findall(r"^### (\S+)", page, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) == headings
