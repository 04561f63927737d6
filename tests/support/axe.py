"""What axe-core (Deque Systems, MPL 2.0, from the npm registry) finds wrong with a page for people who do not see or
use it as most do. `make peers` puts it beside the Python of the tests."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from concentrator.web.access import Role
from tests.support.browser import Browser
from tests.support.served import Served

FILE = Path(sys.prefix) / "axe-core" / "package" / "axe.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


async def findings(browser: Browser) -> list[str]:
    """What is wrong with the page a browser shows, a line each: the rule, and the elements. Scripts must run."""
    assert FILE.is_file(), f"axe-core is not at {FILE}: make peers"
    await browser.evaluate(f"void (window.axe || (0, eval)({json.dumps(FILE.read_text())}))")
    found = await browser.evaluate(
        f"axe.run(document, {{ runOnly: {list(TAGS)}, resultTypes: ['violations'] }}).then((told) => "
        "told.violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.target.join(' ')).join(', ')}`))"
    )
    assert isinstance(found, list)
    return found


async def assert_for_everybody(
    served: Served, role: Role, paths: Iterable[str], width: int, theme: str, language: str
) -> None:
    """Nothing is wrong with these pages as somebody of that role sees them, and none of them scrolls sideways."""
    for path in paths:
        await served.open(path, role, width=width, theme=theme, language=language)
        assert (path, await findings(served.browser), await served.width() <= width) == (path, [], True)
