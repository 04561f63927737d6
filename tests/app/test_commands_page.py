"""docs/commands.md is the action table's own, and says all of it."""

from pathlib import Path

from concentrator.actions.table import CODES, Permission
from concentrator.app.commands_page import commands_page

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
OF_THE_ISSUE = (
    "config.get", "config.set", "device.read", "device.write", "devices.list", "history.get", "link.start",
    "link.status", "link.stop", "reboot", "scan",
)  # fmt: skip


def test_the_page_in_docs_is_the_programs_own():
    assert PAGE.read_text() == commands_page(), "run: make docs"


def test_every_command_has_its_section_with_its_class_and_schema():
    sections = commands_page().split("\n## ")[1:]
    names = [section.splitlines()[0] for section in sections]
    assert names == sorted(names) and set(OF_THE_ISSUE) < set(names)
    for section in sections:
        assert any(f"Class `{permission}`." in section for permission in Permission)
        assert '```json\n{"type": "object"' in section


def test_every_class_and_every_code_is_on_it():
    page = commands_page()
    assert all(f"| `{permission}` |" in page for permission in Permission)
    assert all(f"`{code}`" in page for code in CODES)
