"""concentrator.system.link_table: what was journalled is there after a restart, line by line; no damage is believed."""

import json
import os

import pytest

from concentrator.model.errors import ConfigError
from concentrator.system.link_table import LinkTable

A, B = "0420020081", "0220060041"


def test_a_change_is_on_the_disk_before_it_counts(tmp_path, monkeypatch):
    addresses = LinkTable(tmp_path).addresses("native")
    addresses.reserve(A, 2, 4711)
    assert LinkTable(tmp_path).addresses("native").recover().keys() == {A}
    addresses.settled(A)
    assert LinkTable(tmp_path).addresses("native").done() == {A: 2}

    def refuse(*_) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="No space"):
        addresses.release(A)
    assert addresses.done() == LinkTable(tmp_path).addresses("native").done() == {A: 2}


def test_each_line_has_its_own_ids(tmp_path):
    table = LinkTable(tmp_path)
    first, second = table.addresses("first"), table.addresses("second")
    first.reserve(A, 2, 1)
    second.reserve(B, 2, 1)
    first.settled(A)
    again = LinkTable(tmp_path)
    assert again.addresses("first").done() == {A: 2}
    assert again.addresses("second").recover().keys() == {B}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"lines": []}',
        '{"lines": {"native": []}}',
        json.dumps({"lines": {"native": {A: {"unit": 2, "state": "done"}, B: {"unit": 2, "state": "done"}}}}),
    ],
)
def test_a_damaged_file_is_told_and_left_as_it_is(tmp_path, text):
    path = tmp_path / "link.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"link\.json"):
        LinkTable(tmp_path).addresses("native")
    assert path.read_text() == text
