from pathlib import Path

from concentrator.app.config import SECTIONS
from concentrator.app.config_rules import RULES
from concentrator.app.provisioning import BrokerSection
from concentrator.app.setting import settings_of
from concentrator.app.settings_page import settings_page

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_page_in_docs_is_the_programs_own():
    assert PAGE.read_text() == settings_page(), "run: make docs"


def test_every_key_has_a_row_with_its_default_and_rule():
    rows = [row.split(" | ") for row in settings_page().splitlines() if row.startswith("| `")]
    keys = [setting for section in (*SECTIONS.values(), BrokerSection) for setting in settings_of(section)]
    assert [row[0] for row in rows] == [f"| `{setting.key}`" for setting in keys]
    for row, setting in zip(rows, keys, strict=True):
        assert len(row) == 5
        assert (row[2] == "*required*") == setting.is_required
        assert row[3] == setting.rule.expected


def test_every_rule_between_keys_is_a_sentence():
    page = settings_page()
    for rule in RULES:
        assert f"* {' '.join(rule.__doc__.split())}\n" in page
        assert rule.__doc__.endswith(".")
