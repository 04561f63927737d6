"""concentrator.app.devices: devices come and go in the file and in the running field, in both or in none."""

import os

import pytest

from concentrator.app.config import load
from concentrator.model.errors import Busy, ConfigError
from concentrator.model.reading import Reading
from tests.support.fields import NATIVE, StillBox, meter
from tests.support.profiles import text as profile_text
from tests.support.profiles import variable

TEXT = (
    NATIVE
    + '\n[line.roof]\nendpoint = "tcp:192.168.4.20:502"\nprotocol = "modbus-tcp"\nrole = "external"\n'
    + meter("main", 1)
)
SECTION = {"line": "native", "profile": "energycm/ccm", "address": 2}


@pytest.fixture
def box(tmp_path):
    return StillBox(tmp_path, TEXT)


def refused(box, act):
    """What speaks against it, without the file's name; nothing must have changed."""
    before, listed, events = box.file.read_bytes(), box.listed(), list(box.events)
    with pytest.raises(ConfigError) as error:
        act()
    assert (box.file.read_bytes(), box.listed(), box.events) == (before, listed, events)
    assert not box.file.with_name("ccmaster.toml.previous").exists()
    return [str(fault).partition(": ")[2] for fault in error.value.faults]


def test_a_device_that_is_added_is_read_and_is_there_after_a_restart(box):
    box.devices.add("cellar", SECTION | {"alias": "Cellar", "serial": "0420020082", "interval": "10 s"})
    assert box.listed() == [("main", "native", 1), ("cellar", "native", 2)]
    assert [each.device.uid for each in box.field.poller("native").polled()] == ["main", "cellar"]
    assert box.field.describe("cellar")[0] == "0420020082"
    assert box.field.alias("cellar") == "Cellar"
    assert box.file.read_text().startswith('# Our site\n[box]\nstate_dir = "state"   # on the big disk\n')
    again = box.again()
    assert again.listed() == box.listed()
    assert again.config.devices["cellar"].interval_s == 10
    assert box.events == [
        ("device.added", {"device": "cellar", "text": "Cellar is read from now on: native, Modbus ID 2"})
    ]


def test_a_meter_that_is_added_is_told_by_the_address_it_has(tmp_path):
    text = '[line.heat]\nendpoint = "tcp:192.168.4.30:10001"\nrole = "mbus"\n'
    box = StillBox(tmp_path, TEXT + text)
    for uid, address in (("one", 5), ("two", "12345678-KAM-08-04")):
        box.devices.add(uid, {"line": "heat", "profile": "mbus/generic", "address": address})
    assert [facts["text"] for _, facts in box.events] == [
        "one is read from now on: heat, M-Bus address 5",
        "two is read from now on: heat, M-Bus address 12345678-KAM-08-04",
    ]


def test_what_is_wrong_with_a_new_device_is_all_said_and_nothing_is_done(box):
    wrong = {"line": "nativ", "profile": "energycm/cmc", "address": 300, "intervall": "3 s"}
    assert refused(box, lambda: box.devices.add("new", wrong)) == [
        "[device.new] address: found 300, expected a whole number 1 … 247",
        "[device.new] intervall: found an unknown key, expected a known key (did you mean interval?)",
        '[device.new] line: found "nativ", expected one of native, roof (did you mean native?)',
        '[device.new] profile: found "energycm/cmc", expected a profile of the catalogue (did you mean energycm/ccm?)',
    ]
    assert refused(box, lambda: box.devices.add("new", SECTION | {"address": 1})) == [
        "[device.new] address: found 1, which [device.main] has on line native, expected an address of its own"
    ]
    assert refused(box, lambda: box.devices.add("main", SECTION)) == [
        "[device.main]: found a device of that name already, expected a name of its own"
    ]
    assert refused(box, lambda: box.devices.add("a.b", SECTION)) == [
        '[device]: found the name "a.b", expected a name of letters, digits, underscores and hyphens'
    ]


def test_a_file_that_people_left_with_faults_is_not_added_to(box):
    box.file.write_text(TEXT + '[mqtt]\nhost = "mqtt://b"\nport = "no"\n')
    assert refused(box, lambda: box.devices.add("new", SECTION)) == [
        '[mqtt] port: found "no", expected a whole number 1 … 65535'
    ]
    box.file.write_text("[box\n")
    assert "expected valid TOML" in refused(box, lambda: box.devices.add("new", SECTION))[0]


def test_a_line_that_does_not_run_yet_takes_no_device(box):
    box.file.write_text(TEXT + '[line.later]\nendpoint = "serial:/dev/ttyLater"\n')
    expected = "which is in the file but does not run like that yet, expected a line that runs; restart the box first"
    assert refused(box, lambda: box.devices.add("new", SECTION | {"line": "later"})) == [
        f'[device.new] line: found "later", {expected}'
    ]
    box.file.write_text(TEXT.replace("[line.native]", '[line.native]\nrole = "external"'))
    assert refused(box, lambda: box.devices.add("new", SECTION)) == [f'[device.new] line: found "native", {expected}']


def test_what_people_wrote_meanwhile_stays(box):
    box.file.write_text(TEXT.replace("# Our site", "# Our new site") + "# the end\n")
    box.devices.add("new", SECTION)
    text = box.file.read_text()
    assert text.startswith("# Our new site\n")
    assert "# the end" in text


def test_the_former_file_mode_and_owner_are_kept(box):
    box.file.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(box.file, 1234, 1235)
    kept = box.file.stat()
    box.devices.add("new", SECTION)
    previous = box.file.with_name("ccmaster.toml.previous")
    assert previous.read_text() == TEXT
    for file in (box.file, previous):
        assert (file.stat().st_mode, file.stat().st_uid, file.stat().st_gid) == (kept.st_mode, kept.st_uid, kept.st_gid)


def test_a_link_to_the_file_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "box.toml").write_text(TEXT)
    (tmp_path / "ccmaster.toml").symlink_to(tmp_path / "real" / "box.toml")
    box = StillBox(tmp_path, TEXT)
    box.devices.add("new", SECTION)
    assert box.file.is_symlink()
    assert "[device.new]" in (tmp_path / "real" / "box.toml").read_text()


def test_a_disk_that_does_not_take_it_changes_nothing(box, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    assert refused(box, lambda: box.devices.add("new", SECTION)) == [
        "found no space left on device, expected a file in a folder that can be written"
    ]


def test_a_device_that_is_removed_is_read_no_more_but_its_records_are_still_described(box):
    left = []
    box.devices.leaving = lambda line, serial: left.append((line, serial))
    box.book.identified("main", {"serial": "0420020081"})
    box.field.hub.publish(Reading("main", 0.0, {"v1": 230.0}))
    described, alias = box.field.describe("main"), box.field.alias("main")
    box.devices.remove("main")
    assert (box.listed(), box.field.poller("native").polled()) == ([], ())
    assert left == [("native", "0420020081")]
    assert (box.field.describe("main"), box.field.alias("main")) == (described, alias)
    assert box.field.latest.of("main").values == {}
    assert box.events == [("device.removed", {"device": "main", "text": "main is read no more"})]
    assert load(box.file).devices == {}
    assert box.again().listed() == []


def test_another_meter_may_come_under_the_short_id_of_a_removed_one(box):
    box.book.identified("main", {"serial": "0420020081"})
    box.devices.remove("main")
    box.devices.add("main", SECTION)
    assert box.book.identified("main", {"serial": "0420020099"}) == ""
    assert box.field.describe("main")[0] == "0420020099"


def test_a_device_that_must_not_leave_now_stays(box):
    def busy(line, serial):
        raise Busy(f"{serial} is just being given its ID")

    box.devices.leaving = busy
    box.book.identified("main", {"serial": "0420020081"})
    before = box.file.read_text()
    with pytest.raises(Busy):
        box.devices.remove("main")
    assert (box.file.read_text(), box.listed()) == (before, [("main", "native", 1)])


def test_a_device_that_is_not_there_is_said_with_the_nearest_name(box):
    for act in (lambda: box.devices.remove("mian"), lambda: box.devices.change("mian", address=2)):
        assert refused(box, act) == [
            "[device.mian]: found no such device, expected the short id of a device (did you mean main?)"
        ]


def test_a_device_that_moves_keeps_its_place_in_the_list_and_its_serial_but_no_values(box):
    box.devices.add("second", SECTION | {"address": 3})
    box.book.identified("main", {"serial": "0420020081"})
    box.field.hub.publish(Reading("main", 0.0, {"v1": 230.0}))
    box.devices.change("main", address=7, alias="Hall")
    assert box.listed() == [("main", "native", 7), ("second", "native", 3)]
    assert (box.field.alias("main"), box.field.describe("main")[0]) == ("Hall", "0420020081")
    assert box.field.latest.of("main").values == {}
    assert box.again().listed() == box.listed()


def test_a_device_that_is_only_called_otherwise_keeps_its_values(box):
    box.field.hub.publish(Reading("main", 0.0, {"v1": 230.0}))
    box.devices.change("main", alias="Hall", interval="5 s")
    assert box.field.latest.of("main").values == {"v1": (230.0, 0.0)}
    box.devices.change("main", alias=None)
    assert "alias" not in box.file.read_text()
    assert box.field.alias("main") == "main"


def test_a_taken_id_is_said_with_the_free_ones_after_it(box):
    box.devices.add("pump", SECTION | {"address": 7, "alias": "Heat pump"})
    taken = 'ID Modbus: 7 is taken on this line by "Heat pump". Free: 8, 9, 10…'
    assert box.devices.taken("native", 7) == box.devices.taken("", 7, besides="main") == taken
    assert box.devices.taken("native", 7, besides="pump") == box.devices.taken("roof", 7) == ""
    assert box.devices.taken("native", 8) == box.devices.taken("native", 7, 1) == ""
    box.devices.add("kitchen", SECTION | {"address": 1, "secondary": 1})
    assert box.devices.taken("native", 1, 1) == 'ID Modbus: 1 has a secondary 1 already, "kitchen".'


def test_the_free_ids_go_on_from_the_beginning_and_end_where_there_are_none(box):
    box.devices.add("last", SECTION | {"line": "roof", "address": 247})
    assert box.devices.taken("roof", 247).endswith('by "last". Free: 1, 2, 3…')
    box.devices.change("last", line="native", address=246)
    assert box.devices.taken("native", 246).endswith("Free: 2, 3, 4…")


def test_a_change_that_does_not_fit_changes_nothing(box):
    box.devices.add("second", SECTION)
    box.file.with_name("ccmaster.toml.previous").unlink()
    assert refused(box, lambda: box.devices.change("second", address=1)) == [
        "[device.second] address: found 1, which [device.main] has on line native, expected an address of its own"
    ]


def test_a_secondary_is_read_with_the_profile_of_secondaries(box):
    box.devices.add("kitchen", SECTION | {"address": 1, "secondary": 1})
    state = box.field.device_states()[1]
    assert (state.address, state.secondary, state.protocol) == (1, 1, "MB_RTU_CCM")
    assert box.field.at("native")[1].device.uid == "main"


def test_a_secondary_of_a_device_that_has_none_is_refused(box, tmp_path):
    (tmp_path / "plugins" / "acme").mkdir(parents=True)
    (tmp_path / "plugins" / "acme" / "m1.toml").write_text(profile_text([variable()]))
    box.file.write_text(TEXT.replace("plugin_dirs = []", 'plugin_dirs = ["plugins"]'))
    section = {"line": "roof", "profile": "acme/m1", "address": 247, "secondary": 1}
    assert refused(box, lambda: box.devices.add("shed", section)) == [
        "[device.shed] secondary: found 1, expected none, for devices of acme/m1 have no secondaries"
    ]
    del section["secondary"]
    box.devices.add("shed", section)
    assert box.field.device_states()[-1].protocol == "MB_TCP_EXT"
