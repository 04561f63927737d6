"""The telegrams of real meters that are handed out beside the project, and what an independent decoder says of them."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from attrs import frozen

FOLDER = Path(__file__).parents[3] / "shared" / "testdata" / "mbus"


@frozen
class Told:
    """One record as the independent decoder tells it."""

    function: str
    storage: int
    tariff: int
    subunit: int
    unit: str
    value: str


def frames(kind: str) -> dict[str, bytes]:
    """The frames of a folder, `frames` or `error-frames`, by name; the test fails, with the place, where it is not
    there."""
    files = sorted((FOLDER / kind).glob("*.hex"))
    if not files:
        pytest.fail(f"this test needs the telegrams of real meters in {FOLDER / kind}; the folder is not there")
    return {file.stem: bytes.fromhex(file.read_text()) for file in files}


def told_of(name: str) -> list[Told]:
    """The records of a frame, in order."""
    root = ElementTree.parse(FOLDER / "frames" / f"{name}.norm.xml").getroot()

    def told(record: ElementTree.Element) -> Told:
        def text(tag: str) -> str:
            return record.findtext(tag) or ""

        numbers = (int(text(tag) or 0) for tag in ("StorageNumber", "Tariff", "Device"))
        unit = text("Unit").replace("Â", "").replace("m^3", "m³").replace("-", "")  # some files are UTF-8 unsaid
        return Told(text("Function"), *numbers, unit, text("Value"))

    return [told(record) for record in root.findall("DataRecord")]
