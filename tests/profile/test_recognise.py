import pytest

from concentrator.model.profile import Function, Point
from concentrator.model.quantity import Kind, Quantity
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.recognise import is_match, marks, recognisable


def mark(match):
    return Point(Quantity("mark", "", Kind.STATE), Function.HOLDING, 0, 1, "u16", match=match)


@pytest.mark.parametrize(
    ("match", "value", "is_it"),
    [
        ("0x434D", 0x434D, True),
        ("0x434D", 0x434E, False),
        ("0x434D", "0X434D", True),
        ("101..103", 102, True),
        ("101..103", 104, False),
        ("101..103", 102.0, True),
        ("103 or 113", 113, True),
        ("111..113 float, 101..103 int+SF", 103, True),
        ("0x0500 LV three phase, 0x0600 HV three phase", 0x0600, True),
        ("0=2400 1=4800 2=9600", 2, True),
        ("0=2400 1=4800 2=9600", 9600, False),
        ("8001 = solar inverter", 8001, True),
        ("3=6A 3P4W 8=80A 3P4W", 4, False),
        ("B21 |B23 |B24 ", "B23 112-100", True),
        ("B21 |B23 |B24 ", "A43", False),
        ("Schneider Electric", "Schneider Electric", True),
        ("Schneider Electric", "", False),
        ("0x434D", None, False),
        ("007", 7, True),
        ("007", "007", True),
    ],
)
def test_what_a_device_says_is_what_the_profile_expects_or_not(match, value, is_it):
    assert is_match(mark(match), value) is is_it


def test_the_native_meter_is_told_by_its_mark():
    (point,) = marks(Catalogue().get("energycm/ccm"))
    assert (point.name, point.address, point.match) == ("map_magic", 0, "0x434D")


def test_a_large_number_is_compared_exactly():
    assert is_match(mark("0x0053004F0043004F"), 0x0053004F0043004F)
    assert not is_match(mark("0x0053004F0043004F"), 0x0053004F0043004E)


def test_what_has_no_addresses_of_its_own_is_not_told_by_them():
    relative = [key for key in Catalogue().keys() if Catalogue().get(key).dialect != "modbus"]  # noqa: SIM118
    assert "sunspec/inverter-int" in relative
    assert not {profile.key for profile in recognisable(Catalogue())} & set(relative)


def test_a_scan_knows_every_profile_with_marks_and_no_broken_file_stops_it(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own/broken.toml").write_text("[profile")
    assert "energycm/ccm" in [profile.key for profile in recognisable(Catalogue([tmp_path]))]
