from pathlib import Path

from attrs import Factory, frozen

from concentrator.app.rule import flag, listed, path, text, whole
from concentrator.app.setting import Faults, read_section, setting, settings_of


@frozen
class Door:
    """A section made up for these tests."""

    width_mm: int = setting(whole(1, 2000), meaning="How wide.", key="width")
    is_open: bool = setting(flag(), False, "Whether it is open.", key="open")
    label: str = setting(text(), Factory(lambda self: f"{self.width_mm} wide", takes_self=True), shown="its width")
    code: str = setting(text("four digits", r"\d{4}"), "0000", "Who may pass.", is_secret=True)
    photo: Path | None = setting(path(), None, "What it looks like.", shown="none")
    photos: tuple[Path, ...] = setting(listed(path()), [], "More of them.")


def read(**table):
    faults = Faults("doors.toml")
    return read_section(Door, table, "door.front", faults, Path("/house")), faults


def test_values_go_where_the_settings_say():
    door, faults = read(width=800, open=True, photo="front.jpg", photos=["a", "/b"])
    assert door == Door(800, True, "800 wide", "0000", Path("/house/front.jpg"), (Path("/house/a"), Path("/b")))
    assert faults.found == []


def test_every_fault_of_a_section_is_noted_in_its_order():
    _, faults = read(open="yes", lable="x", code="12", photo=3)
    assert list(map(str, faults.found)) == [
        'doors.toml: [door.front] open: found "yes", expected true or false',
        "doors.toml: [door.front] lable: found an unknown key, expected a known key (did you mean label?)",
        "doors.toml: [door.front] code: found a text, expected four digits",
        "doors.toml: [door.front] photo: found 3, expected a path",
        "doors.toml: [door.front] width: found nothing, expected a whole number 1 … 2000",
    ]


def test_a_name_like_no_other_gets_all_there_are():
    _, faults = read(width=1, zzz=1)
    assert faults.found[0].expected == "one of width, open, label, code, photo, photos"


def test_what_could_not_be_read_is_told_from_what_is_wrong_otherwise():
    _, faults = read(width="wide", zzz=1)
    faults.add("door.front", "label", "found", "expected")
    assert not faults.are_readable("door.front", "label", "width")
    assert faults.are_readable("door.front", "label", "zzz")
    assert faults.are_readable("door.back", "width")


def test_a_secret_is_in_no_repr():
    assert "1234" not in repr(read(width=1, code="1234")[0])


def test_settings_say_all_about_themselves():
    found = {each.key: each for each in settings_of(Door)}
    assert [each.key for each in found.values() if each.is_required] == ["width"]
    assert [each.key for each in found.values() if each.is_secret] == ["code"]
    assert {key: each.default for key, each in found.items()} == {
        "width": "",
        "open": "false",
        "label": "its width",
        "code": '"0000"',
        "photo": "none",
        "photos": "[]",
    }
