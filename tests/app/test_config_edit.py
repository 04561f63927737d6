"""concentrator.app.config_edit: devices come and go in a text whose writer finds everything else untouched."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.app.config_edit import NotEditable, with_device, with_device_changed, with_settings, without_device

TEXT = """\
# Our site
[box]
state_dir = "state"   # on the big disk

[line.native]
endpoint = "serial:/dev/ttyRS485-0"

# The main meter,
# in the cellar.
[device.main]   # by the door
line = "native"
address = 1     # from the factory
alias = "Main"
# serial = "0420020081"

[device.roof]
address = 2
line = "native"

# ---- uplinks
[mqtt]
host = "mqtt://broker"
"""
NEW = {"line": "native", "address": 3, "alias": "Küche", "allow_write": True}
NEW_TEXT = """\
[device.new]
line = "native"
address = 3
alias = "Küche"
allow_write = true
"""


def test_a_new_device_stands_after_the_last_one():
    before, _, after = TEXT.partition("# ---- uplinks")
    assert with_device(TEXT, "new", NEW) == f"{before}{NEW_TEXT}\n# ---- uplinks{after}"


@pytest.mark.parametrize(
    ("text", "between"),
    [("", ""), ("[box]\n", "\n"), ("[box]\n\n", ""), ('[box]\nmodel = "PRO"', "\n\n"), ("# site", "\n\n")],
)
def test_the_first_device_stands_at_the_end(text, between):
    assert with_device(text, "new", NEW) == text + between + NEW_TEXT


def test_a_remark_below_the_last_device_stays_with_it():
    text = "[device.a]\naddress = 1\n# serial = 7\n"
    assert with_device(text, "new", NEW) == f"{text}\n{NEW_TEXT}"


def test_a_device_between_other_sections_is_found_wherever_it_stands():
    text = TEXT + "\n[device.late]\naddress = 9\n[ftp]\nport = 21\n"
    assert with_device(text, "new", NEW) == text.replace("[ftp]", f"\n{NEW_TEXT}\n[ftp]")
    assert without_device(text, "late") == TEXT + "\n[ftp]\nport = 21\n"


def test_a_change_leaves_order_and_remarks():
    changed = with_device_changed(TEXT, "main", {"address": 7, "alias": None, "serial": "0420020081"})
    assert changed == TEXT.replace("address = 1 ", "address = 7 ").replace(
        'alias = "Main"\n', 'serial = "0420020081"\n'
    )


def test_a_device_goes_with_the_remark_above_it_and_no_other():
    roof = '[device.roof]\naddress = 2\nline = "native"\n\n'
    assert without_device(TEXT, "roof") == TEXT.replace(roof, "")
    start, end = TEXT.index("# The main meter"), TEXT.index("[device.roof]")
    assert without_device(TEXT, "main") == TEXT[:start] + TEXT[end:]
    assert without_device(without_device(TEXT, "main"), "roof").endswith(
        '# ---- uplinks\n[mqtt]\nhost = "mqtt://broker"\n'
    )


def test_the_only_section_of_a_file_can_go():
    assert without_device("# site\n\n# the meter\n[device.a]\nx = 1\n# end\n", "a") == "# site\n\n"


def test_what_was_added_and_removed_leaves_the_text_as_it_was():
    assert without_device(with_device(TEXT, "new", NEW), "new") == TEXT


def test_lines_end_as_they_did():
    text = TEXT.replace("\n", "\r\n")
    changed = with_device_changed(text, "main", {"address": 7})
    assert changed == text.replace("address = 1 ", "address = 7 ")


@pytest.mark.parametrize("text", ["device = {a = {x = 1}}\n", "[device]\na = {x = 1}\n", "device.a.x = 1\n"])
def test_a_text_put_together_otherwise_is_left_to_people(text):
    for edit in (lambda: with_device_changed(text, "a", {"x": 2}), lambda: without_device(text, "a")):
        with pytest.raises(NotEditable, match=r"a is no section \[device.a\]"):
            edit()


def test_a_table_that_takes_no_more_is_said_to_be_one():
    with pytest.raises(NotEditable, match="put together in a way"):
        with_device("device = {a = {x = 1}}\n", "new", NEW)


REMARKS = st.sampled_from(["", "\n", "# a remark\n", "# two\n# lines\n", "\n# apart\n\n", "\n\n"])
SECTIONS = st.sampled_from(["[device.{}]\nx = 1\n", "[device.{}] # one\nx = 1 # two\n# three\n", "[line.{}]\nx = 1\n"])


@given(st.lists(st.tuples(REMARKS, SECTIONS), max_size=6), REMARKS, st.data())
def test_any_edit_changes_its_device_only_and_no_remark_elsewhere(parts, end, data):
    text = "".join(f"{remark}{section.format(f's{n}')}" for n, (remark, section) in enumerate(parts)) + end
    tables = tomllib.loads(text)
    devices = tables.get("device", {})
    added = with_device(text, "new", {"x": 2})
    assert tomllib.loads(added) == {**tables, "device": {**devices, "new": {"x": 2}}}
    assert _without_blank(without_device(added, "new")) == _without_blank(text)
    if devices:
        uid = data.draw(st.sampled_from(sorted(devices)))
        changed = with_device_changed(text, uid, {"x": 3, "y": "z"})
        assert _remarks(changed) == _remarks(text)
        gone = tomllib.loads(without_device(text, uid)).get("device", {})
        assert gone == {other: keys for other, keys in devices.items() if other != uid}


def _without_blank(text):
    return [line for line in text.splitlines() if line]


def _remarks(text):
    return [line for line in text.splitlines() if line.startswith("#")]


def test_keys_of_any_section_change_and_remarks_stay():
    changed = with_settings(TEXT, {"mqtt": {"host": "mqtt://other", "port": 1884}, "history": {"latency": "1 min"}})
    parsed = tomllib.loads(changed)
    assert parsed["mqtt"] == tomllib.loads(TEXT)["mqtt"] | {"host": "mqtt://other", "port": 1884}
    assert parsed["history"] == {"latency": "1 min"}
    assert [line for line in _remarks(TEXT) if line not in changed.splitlines()] == []


def test_a_key_is_taken_out_by_none_and_one_that_is_not_there_stays_away():
    changed = with_settings(TEXT, {"mqtt": {"host": None, "port": None}})
    assert tomllib.loads(changed).get("mqtt") == {}


def test_a_further_section_of_its_kind_stands_beside_the_first():
    changed = with_settings(TEXT, {"mqtt.cloud": {"host": "mqtts://c", "allow": ["read", "write"]}})
    assert tomllib.loads(changed)["mqtt"]["cloud"] == {"host": "mqtts://c", "allow": ["read", "write"]}
    assert changed.endswith('[mqtt.cloud]\nhost = "mqtts://c"\nallow = ["read", "write"]\n')
    again = with_settings(changed, {"mqtt": {"port": 1}, "mqtt.cloud": {"allow": None}})
    assert tomllib.loads(again)["mqtt"]["cloud"] == {"host": "mqtts://c"}
    assert tomllib.loads(again)["mqtt"]["port"] == 1


@pytest.mark.parametrize("text", ["mqtt = {port = 1}\n", "[mqtt]\nport = {x = 1}\n", "mqtt.port = 1\n"])
def test_a_section_put_together_otherwise_is_left_to_people(text):
    place = "mqtt.port.x" if text.startswith("[") else "mqtt"
    try:
        changed = with_settings(text, {place: {"port": 2}})
    except NotEditable as why:
        assert str(why)
    else:
        assert tomllib.loads(changed)["mqtt"]["port"] == 2


@given(st.lists(st.tuples(REMARKS, SECTIONS), max_size=6), REMARKS, st.data())
def test_any_change_of_settings_changes_its_keys_only_and_no_remark(parts, end, data):
    text = "".join(f"{remark}{section.format(f's{n}')}" for n, (remark, section) in enumerate(parts)) + end
    tables = tomllib.loads(text)
    places = [f"{kind}.{name}" for kind, named in tables.items() for name in named] + ["box", "line.new"]
    place = data.draw(st.sampled_from(places))
    changed = with_settings(text, {place: {"y": [1, 2], "x": None}})
    assert _remarks(changed) == _remarks(text)
    kind, _, name = place.partition(".")
    after = tomllib.loads(changed)
    section = after[kind][name] if name else after[kind]
    assert section == {"y": [1, 2]}
    for other, named in tables.items():
        assert {uid: keys for uid, keys in after[other].items() if (other, uid) != (kind, name)} == {
            uid: keys for uid, keys in named.items() if (other, uid) != (kind, name)
        }


def test_a_section_goes_with_the_remark_above_it_while_another_changes():
    before = "[mqtt]\nport = 1\n\n# the first\n[sms.a]\nx = 1\n\n# the second\n[sms.b]\nx = 2\n"
    after = with_settings(before, {"sms.a": None, "mqtt": {"port": 2}})
    assert after == "[mqtt]\nport = 2\n\n# the second\n[sms.b]\nx = 2\n"
    assert with_settings(after, {"sms.b": None}).rstrip() == "[mqtt]\nport = 2"


def test_a_section_that_is_not_there_cannot_go():
    with pytest.raises(NotEditable, match=r"b is no section \[sms.b\]"):
        with_settings("[sms.a]\nx = 1\n", {"sms.b": None})
