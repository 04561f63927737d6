"""concentrator.system.identity: a box and its devices keep their serials for life."""

import re

import pytest

from concentrator.model.errors import ConfigError
from concentrator.model.trouble import facts_of
from concentrator.system.files import write_whole
from concentrator.system.identity import DeviceBook, box_serial

NOVEMBER_2026 = 1_795_000_000.0


def test_a_serial_is_made_once_and_never_changes(tmp_path):
    first = box_serial(tmp_path, "PRO", "", NOVEMBER_2026)
    assert re.fullmatch(r"442611\d{4}", first)
    assert box_serial(tmp_path, "Lite", "", NOVEMBER_2026 + 1e8) == first
    assert box_serial(tmp_path, "PRO", first, NOVEMBER_2026) == first


def test_a_provisioned_serial_is_kept_and_another_refused(tmp_path):
    assert box_serial(tmp_path, "PRO", "4220080001", NOVEMBER_2026) == "4220080001"
    assert box_serial(tmp_path, "PRO", "", NOVEMBER_2026) == "4220080001"
    with pytest.raises(ConfigError, match=r'found "4220080002" configured, expected "4220080001"'):
        box_serial(tmp_path, "PRO", "4220080002", NOVEMBER_2026)


def test_a_damaged_identity_is_said_and_not_replaced(tmp_path):
    (tmp_path / "identity.json").write_text("{")
    with pytest.raises(ConfigError, match="damaged JSON"):
        box_serial(tmp_path, "PRO", "", NOVEMBER_2026)
    assert (tmp_path / "identity.json").read_text() == "{"


def test_a_device_is_known_by_the_serial_it_said_first(tmp_path):
    book = DeviceBook(tmp_path)
    book.expect("main", "meter", "")
    assert book.serial("main") == ""
    assert book.identified("main", {"serial": "0420020081"}) == ""
    again = DeviceBook(tmp_path)
    assert again.serial("main") == "0420020081"
    assert again.identified("main", {"serial": "0420020081"}) == ""
    said = again.identified("main", {"serial": "0420020099"})
    assert said == "serial 0420020099 answers where 0420020081 is expected"
    assert facts_of(said) == {"found": "0420020099", "expected": "0420020081"}
    assert again.serial("main") == "0420020081"


def test_a_configured_serial_decides(tmp_path):
    book = DeviceBook(tmp_path)
    book.identified("main", {"serial": "0420020081"})
    book.expect("main", "meter", "0420020082")
    assert book.serial("main") == "0420020082"
    assert "0420020081 answers" in book.identified("main", {"serial": "0420020081"})


def test_a_device_that_is_gone_leaves_its_short_id_to_another_but_no_number(tmp_path):
    book = DeviceBook(tmp_path)
    book.expect("roof", "inverter", "")
    book.identified("roof", {})
    book.forget("roof")
    book.forget("never seen")
    again = DeviceBook(tmp_path)
    assert again.serial("roof") == ""
    again.expect("roof", "inverter", "")
    assert again.identified("roof", {}) == ""
    assert again.serial("roof") == "INV_000002"


def test_devices_without_a_serial_get_numbers_that_never_repeat(tmp_path):
    book = DeviceBook(tmp_path)
    for uid, kind in (("roof", "inverter"), ("shed", "inverter"), ("grid", "analyser"), ("odd", "other")):
        book.expect(uid, kind, "")
        assert book.identified(uid, {}) == ""
    assert [book.serial(uid) for uid in ("roof", "shed", "grid", "odd")] == [
        "INV_000001", "INV_000002", "ANA_000001", "DEV_000001",
    ]  # fmt: skip
    again = DeviceBook(tmp_path)
    again.expect("new", "inverter", "")
    again.identified("new", {})
    assert again.serial("new") == "INV_000003"
    assert again.identified("new", {"serial": "X1"}) == ""
    assert again.serial("new") == "X1"


def test_a_device_that_says_no_serial_has_one_of_ours_before_it_was_asked(tmp_path):
    book = DeviceBook(tmp_path)
    book.expect("roof", "inverter", "", says_serial=False)
    book.expect("shed", "inverter", "7X", says_serial=False)
    again = DeviceBook(tmp_path)
    again.expect("roof", "inverter", "", says_serial=False)
    assert [again.serial(uid) for uid in ("roof", "shed")] == ["INV_000001", "7X"]
    assert again.identified("roof", {}) == ""


def test_many_devices_are_written_down_at_once(tmp_path, monkeypatch):
    writes = []
    book = DeviceBook(tmp_path)
    monkeypatch.setattr("concentrator.system.identity.write_whole", lambda path, content: writes.append(content))
    with book.kept_once():
        for number in range(30):
            book.expect(f"m{number}", "meter", f"04200200{number}")
        assert writes == []
    assert len(writes) == 1
    with book.kept_once():
        book.expect("m1", "meter", "042002001")
    assert len(writes) == 1
    book.expect("new", "meter", "0420020099")
    assert len(writes) == 2


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    path = tmp_path / "state.json"
    write_whole(path, b"one", mode=0o600)
    assert path.stat().st_mode & 0o777 == 0o600

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"two")
    monkeypatch.undo()
    assert path.read_bytes() == b"one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]
