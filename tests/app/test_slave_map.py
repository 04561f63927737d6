"""concentrator.app.slave_map: the register map for people, made from what the registers are made from."""

from pathlib import Path

from concentrator.app.slave_map import COMMON, map_lines, mapped
from concentrator.slave.register_map import State
from concentrator.slave.windows import COMMON_LENGTH, FIRST, HEADER, Windows
from tests.support.slave_box import SlaveBox

PAGE = Path(__file__).parents[2] / "docs" / "slave.md"


def test_the_map_says_where_everything_is(tmp_path):
    box = SlaveBox(tmp_path)
    found = box.slaves.mapped()
    assert found["base"] == 40000
    assert [(each["address"], each["name"]) for each in found["common"]][:4] == [
        (40000, "SID"),
        (40002, "ID"),
        (40003, "L"),
        (40004, "Mn"),
    ]
    assert sum(each["registers"] for each in found["common"]) == COMMON_LENGTH + 4
    assert found["common"][-1]["address"] + 1 == FIRST
    first, second = found["windows"]
    assert (first["number"], first["uid"], first["alias"], first["address"]) == (1, "m1", "Main", FIRST)
    assert second["address"] == first["address"] + first["registers"]
    assert found["end"] == second["address"] + second["registers"]
    energy = next(each for each in first["values"] if each["name"] == "ea_imp")
    assert (energy["registers"], energy["type"], energy["unit"], energy["is_writable"]) == (4, "float64", "kWh", False)


def test_people_read_it_line_by_line(tmp_path):
    box = SlaveBox(tmp_path)
    found = box.slaves.mapped()
    lines = list(map_lines(found))
    assert lines[1].startswith("States: 0 absent, 1 new, 2 answering, ")
    voltage = next(each for each in found["windows"][0]["values"] if each["name"] == "v1")
    assert f"{voltage['address']}   2  float32  v1               voltage L1, V" in lines
    assert f"Window 1: m1 (Main), registers {FIRST} to {found['windows'][1]['address'] - 1}" in lines
    box.still.field.remove("m2")
    assert any(line.startswith("Window 2: m2, not configured now") for line in map_lines(box.slaves.mapped()))


def test_what_has_no_room_is_named(tmp_path):
    box, windows = SlaveBox(tmp_path), Windows()
    windows.left_out.add("m7 v1")
    found = mapped(windows, box.still.field)
    assert list(map_lines(found))[-1] == "No room for: m7 v1"


def test_the_page_of_the_slave_port_has_the_same_tables():
    page = PAGE.read_text()
    address = 40000
    for name, count, type_, meaning in COMMON:
        assert f"| {address} | {count} | `{name}` | {type_} | {meaning} |" in page
        address += count
    offset = 0
    for name, count, type_, meaning in HEADER:
        assert f"| +{offset} | {count} | `{name}` | {type_} | {meaning} |" in page
        offset += count
    for state in State:
        assert f"| {int(state)} | {state.name.lower()} |" in page
