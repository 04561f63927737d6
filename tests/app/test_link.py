"""concentrator.app.link: a linked meter is a device, the same as ever where its serial is known."""

import json

import pytest

from concentrator.app.link import build_links
from concentrator.model.errors import ConfigError, Unknown, WrongArguments
from concentrator.poll.addresses import State
from tests.support.fields import NATIVE, StillBox, meter

TEXT = NATIVE + meter("main", 1) + meter("hall", 2, 'serial = "0420020082"\n') + meter("shed", 3)
SECOND_BUS = '[line.annexe]\nendpoint = "serial:/dev/ttyAnnexe"\n'


def links_of(box):
    return build_links(box.state, box.field, box.devices, box.catalogue, box.clock, box.report)


@pytest.fixture
def box(tmp_path):
    return StillBox(tmp_path, TEXT)


def test_an_unknown_meter_is_a_new_device_under_its_serial(box):
    mode = links_of(box).mode()
    mode.linked("0420020099", 4)
    assert box.listed() == [
        ("main", "native", 1),
        ("hall", "native", 2),
        ("shed", "native", 3),
        ("ccm-0420020099", "native", 4),
    ]
    added = box.again().config.devices["ccm-0420020099"]
    assert (added.profile, added.address, added.serial, added.alias) == ("energycm/ccm", 4, "0420020099", "")


def test_told_twice_it_is_one_device(box):
    mode = links_of(box).mode()
    mode.linked("0420020099", 4)
    text = box.file.read_text()
    mode.linked("0420020099", 4)
    assert box.file.read_text() == text
    assert len(box.listed()) == 4


@pytest.mark.parametrize("uid", ["hall", "shed"])
def test_a_meter_known_by_its_serial_is_the_same_device_under_its_new_id(box, uid):
    box.book.identified("shed", {"serial": "0420020083"})
    serial = box.book.serial(uid)
    links_of(box).mode().linked(serial, 9)
    assert {name: address for name, _, address in box.listed()}[uid] == 9
    assert len(box.listed()) == 3
    assert box.again().listed() == box.listed()


def test_a_meter_that_came_over_from_another_bus_is_the_same_device(tmp_path):
    box = StillBox(tmp_path, TEXT + SECOND_BUS)
    links_of(box).mode("annexe").linked("0420020082", 2)
    assert ("hall", "annexe", 2) in box.listed()


def test_those_behind_a_meter_move_with_it(tmp_path):
    text = TEXT + meter("kitchen", 2, "secondary = 1\n") + meter("attic", 2, "secondary = 2\n")
    box = StillBox(tmp_path, text)
    links_of(box).mode().linked("0420020082", 9)
    moved = [(uid, address) for uid, _, address in box.listed()]
    assert moved == [("main", 1), ("hall", 9), ("shed", 3), ("kitchen", 9), ("attic", 9)]
    assert box.again().listed() == box.listed()


def test_the_id_of_a_meter_of_which_only_those_behind_it_are_read_is_in_use(tmp_path):
    box = StillBox(tmp_path, TEXT + meter("kitchen", 7, 'secondary = 1\nserial = "1"\n'))
    assert links_of(box).mode().taken()[7] == ""


def test_a_file_that_takes_no_device_is_said(box):
    box.file.write_text(TEXT + "[nonsense]\n")
    with pytest.raises(ConfigError, match="nonsense"):
        links_of(box).mode().linked("0420020099", 4)
    assert len(box.listed()) == 3


def test_ids_in_use_are_those_of_the_lines_devices(tmp_path):
    box = StillBox(tmp_path, TEXT + SECOND_BUS + meter("far", 5).replace("native", "annexe"))
    box.book.identified("main", {"serial": "0420020081"})
    links = links_of(box)
    assert links.mode("native").taken() == {1: "0420020081", 2: "0420020082", 3: ""}
    assert links.mode("annexe").taken() == {5: ""}


def test_deleting_a_device_frees_its_id(box):
    mode = links_of(box).mode()
    mode.addresses.reserve("0420020082", 2, 7)
    mode.addresses.settled("0420020082")
    box.devices.remove("hall")
    assert mode.addresses.entries() == {}
    assert json.loads((box.state / "link.json").read_text()) == {"lines": {"native": {}}}


def test_an_id_journal_outlives_the_program(box):
    links_of(box).mode().addresses.reserve("0420020082", 2, 7)
    assert links_of(box.again()).mode().addresses.entries()["0420020082"].state is State.PENDING


def test_a_damaged_id_journal_gives_no_ids_and_stops_nothing_else(box):
    (box.state / "link.json").write_text("{")
    links = links_of(box)
    with pytest.raises(Unknown, match=r"no link mode: .*damaged JSON"):
        links.mode()
    links.start()
    box.devices.remove("hall")
    assert len(box.listed()) == 2


def test_the_line_must_be_named_where_several_could_be_meant(tmp_path):
    links = links_of(StillBox(tmp_path, TEXT + SECOND_BUS))
    with pytest.raises(WrongArguments, match="line: missing, expected one of native, annexe"):
        links.mode()
    with pytest.raises(Unknown, match="did you mean annexe"):
        links.mode("anexe")


def test_only_a_native_bus_has_link_mode(tmp_path):
    text = NATIVE.replace("[line.native]", '[line.native]\nrole = "external"')
    over_ip = '[line.ip]\nendpoint = "tcp:192.168.4.20:502"\nprotocol = "modbus-tcp"\n'
    with pytest.raises(Unknown, match="no native line"):
        links_of(StillBox(tmp_path, text + over_ip)).mode()


def test_nothing_of_link_mode_is_made_until_it_is_wanted(box):
    links = links_of(box)
    links.start()
    assert links.lines() == ("native",) and not links.is_on() and not links._modes
    mode = links.mode()
    assert links.mode("native") is mode and links.lines() == ("native",)


def test_what_was_cut_off_is_looked_into_at_the_start(box):
    (box.state / "link.json").write_text(
        json.dumps({"lines": {"native": {"0420020099": {"unit": 9, "state": "pending", "nonce": 7}}}})
    )
    links = links_of(box)
    links.start()
    assert list(links._modes) == ["native"]
    assert links.mode().addresses.recover()["0420020099"].state is State.PENDING
    links.stop()


def test_a_device_that_leaves_frees_its_id_whether_or_not_link_mode_was_ever_on(box):
    kept = {"0420020099": {"unit": 9, "state": "done", "nonce": 7}}
    (box.state / "link.json").write_text(json.dumps({"lines": {"native": kept}}))
    links = links_of(box)
    links.leaving("native", "0420020099")
    assert json.loads((box.state / "link.json").read_text()) == {"lines": {"native": {}}}
    assert not links._modes
