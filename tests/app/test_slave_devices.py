"""concentrator.app.slave_devices: what slave ports see of the devices."""

from concentrator.app.slave_devices import FieldDevices, FieldOriginal, _Image
from concentrator.model.errors import Busy, NoReply, Unknown
from concentrator.model.profile import Function
from concentrator.model.reading import Quality
from concentrator.slave.register_map import State
from concentrator.wire.modbus_server import Read
from tests.support.slave_box import TEXT, SlaveBox

WANTED = Read(Function.HOLDING, 0, 1)


def around(box):
    return box.slaves._around


def test_a_device_is_shown_as_people_see_it(tmp_path):
    box = SlaveBox(tmp_path)
    devices = FieldDevices(around(box), "scada")
    shown = devices.shown("m1")
    assert (shown.alias, shown.address, shown.state, shown.at, shown.values) == ("Main", 1, State.NEW, None, {})
    box.reading("m1", v1=230.0, model=4)
    shown = devices.shown("m1")
    assert (shown.at, shown.values["v1"]) == (box.wall.now(), (230.0, box.wall.now()))
    assert shown.model == "CcM4"
    assert shown.rounds_s["v1"] == 3.0 and shown.rounds_s["ea_imp"] > 3.0
    assert devices.shown("m9") is None


def test_its_state_says_why_its_values_are_old(tmp_path):
    box = SlaveBox(tmp_path)
    devices, polled = FieldDevices(around(box), "scada"), box.still.field.known()["m1"].polled
    polled.quality = Quality.SUSPENDED
    assert devices.shown("m1").state is State.SUSPENDED
    polled.rightful.conflict = "another one answers"
    assert devices.shown("m1").state is State.CONFLICT


def test_an_original_is_the_image_of_its_station(tmp_path):
    box = SlaveBox(tmp_path)
    original = FieldOriginal(around(box), "meter", "m1")
    known = box.still.field.known()["m1"]
    known.station.image(1).store(Function.HOLDING, 0, 1, b"CM")
    assert original.image().content(Function.HOLDING, 0, 1) == (b"CM", 0.0)
    blocks = dict(original.blocks())
    assert blocks.keys() >= set(known.station.blocks) | set(known.station.who)
    assert original.is_answering() is False
    nobody = FieldOriginal(around(box), "meter", "m9")
    assert (nobody.image(), list(nobody.blocks()), nobody.is_answering()) == (None, [], False)


def test_a_device_whose_addresses_are_objects_is_shown_object_by_object(tmp_path):
    class Image:
        def content(self, function, address, count, *, is_alone):
            return b"alone" if is_alone else b"together", 0.0

    assert _Image(Image(), True).content(Function.HOLDING, 1, 2) == (b"alone", 0.0)
    assert _Image(Image(), False).content(Function.HOLDING, 1, 2) == (b"together", 0.0)


def failure_of(deferred):
    found = []
    deferred.addErrback(lambda failure: found.append(failure.value))
    return found[0]


def test_a_device_in_conflict_has_nothing_to_show(tmp_path):
    box = SlaveBox(tmp_path)
    original, known = FieldOriginal(around(box), "meter", "m1"), box.still.field.known()["m1"]
    known.polled.rightful.conflict = "another one answers"
    assert (original.image(), original.is_answering()) == (None, False)
    assert "another one answers" in str(failure_of(original.fetch(WANTED)))


def test_what_cannot_be_asked_says_why(tmp_path):
    box = SlaveBox(tmp_path)
    assert isinstance(failure_of(FieldOriginal(around(box), "meter", "m9").fetch(WANTED)), Unknown)
    box.still.field.poller("native").suspend("link mode is on")
    assert isinstance(failure_of(FieldOriginal(around(box), "meter", "m1").fetch(WANTED)), Busy)


def test_a_device_whose_registers_move_has_no_mirror(tmp_path):
    sunspec = '[line.roof]\nendpoint = "tcp:10.0.0.9:502"\nrole = "external"\nprotocol = "modbus-tcp"\n'
    device = '[device.sun]\nline = "roof"\nprofile = "sunspec/inverter-int"\naddress = 1\n'
    box = SlaveBox(tmp_path, TEXT + sunspec + device)
    original = FieldOriginal(around(box), "meter", "sun")
    assert original.image() is None
    assert isinstance(failure_of(original.fetch(WANTED)), NoReply)
