"""The examples of SmartGen's protocol documents, which are handed out beside the project."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "seeds"
ENGLISH, CHINESE = "001", "002"


def printed(document: str) -> str:
    """All that is printed as an example in a document, in order, page breaks left out; the test fails, with the place,
    where the document is not there."""
    found = sorted(FOLDER.glob(f"{document}_*.txt"))
    if not found:
        pytest.fail(f"this test needs the protocol document {document} in {FOLDER}; it is not there")
    return "\n".join(re.findall(r"```(.*?)```", found[0].read_text("utf-8"), re.DOTALL))


def examples(document: str) -> list[str]:
    """The examples, each from the brace that begins its first line to the next one's."""
    return [each for each in re.split(r"(?m)^(?=\{)", printed(document)) if each.strip()]
