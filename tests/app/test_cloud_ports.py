"""concentrator.app.cloud_ports and cloud_controller: a controller is looked for at the ports and speeds that exist, and
stays where it was found."""

import json

import pytest
from attrs import evolve

from concentrator.app.cloud_kept import Kept
from concentrator.app.cloud_ports import LinePorts, at_speed
from concentrator.app.config_sections import LineSection
from concentrator.sim.smartgen_cloud import CloudServer
from concentrator.wire.smartgen import Changes, Login, Written
from concentrator.wire.smartgen_fields import Wiring
from concentrator.wire.smartgen_server import LoginAnswer, WriteConfig
from tests.support.clouds import CONFIG, CloudBox, raw

LIVE = ("live.example", 21318)
ANSWER = LoginAnswer(live=LIVE, always=(raw("010300000010"),), online_s=3.0, offline_s=3.0)
SECOND = '\n[line.second]\nendpoint = "serial:/dev/ttyS7:baudrate=19200:parity=E"\nrole = "external"\n'
NEIGHBOUR = '\n[device.other]\nline = "{line}"\nprofile = "energycm/ccm"\naddress = 2\n'


@pytest.fixture
def box_of(tmp_path):
    """A maker of boxes; they end with the test. `speed`: the only one at which the controller answers."""
    made = []

    def make(more="", keys="", speed=9600, wired="native", folder="box"):
        box = CloudBox(tmp_path / folder, CloudServer(ANSWER), CONFIG + keys + more, meters=2, wired=wired)
        hear = box.bus._answers

        def answers(frame):
            here = box.field.wires()[wired].section.serial_address.baudrate == box.speed
            return hear(frame) if here else []

        box.bus.bus._answer = answers
        box.speed = speed
        made.append(box)
        return box

    yield make
    for box in made:
        box.stop()


def ports(box, **changes):
    section = evolve(box.config.services["smartgen"]["one"], **changes)
    return LinePorts("one", section, box.field, Kept(box.folder / "state"))


def test_a_line_at_another_speed_is_the_same_line_otherwise():
    section = LineSection("serial:/dev/ttyS7:baudrate=19200:parity=E")
    assert at_speed(section, 9600).endpoint == "serial:/dev/ttyS7:parity=E:baudrate=9600"
    assert at_speed(LineSection("serial:/dev/ttyS7"), 115200).serial_address.baudrate == 115200


def test_alone_on_its_line_a_controller_may_be_at_three_speeds(box_of):
    assert ports(box_of()).pairs() == (Wiring(2, 0), Wiring(2, 1), Wiring(2, 2))


def test_a_line_that_others_share_keeps_its_speed(box_of):
    box = box_of(NEIGHBOUR.format(line="native"))
    its = ports(box)
    assert its.pairs() == (Wiring(2, 0),)
    assert its.use(Wiring(2, 1)) is False
    assert its.wiring == Wiring(2, 0)


def test_every_port_that_is_a_line_here_is_a_place_to_look(box_of):
    box = box_of(SECOND + NEIGHBOUR.format(line="second"))
    its = ports(box, link_line="second")
    assert its.pairs() == (Wiring(2, 0), Wiring(2, 1), Wiring(2, 2), Wiring(1, 1))
    assert its.use(Wiring(1, 1)) is True
    assert (its.wiring, box.field.known()["gen"].device.line) == (Wiring(1, 1), "second")
    assert its.use(Wiring(3, 0)) is False
    its.restore()
    assert (its.wiring, box.field.known()["gen"].device.line) == (Wiring(2, 0), "native")


def test_a_line_where_another_device_has_its_modbus_id_is_no_place_for_it(box_of):
    box = box_of(SECOND + NEIGHBOUR.format(line="second").replace("address = 2", "address = 1"))
    its = ports(box, link_line="second")
    assert its.pairs() == (Wiring(2, 0), Wiring(2, 1), Wiring(2, 2))
    assert its.use(Wiring(1, 1)) is False
    assert box.field.known()["gen"].device.line == "native"


@pytest.mark.parametrize(("named", "wiring"), [({}, Wiring(2, 1)), ({"link_line": "second"}, Wiring(1, 1))])
def test_a_controller_that_the_operator_moves_is_read_on_its_new_line_and_stays_there(box_of, named, wiring):
    box = box_of(SECOND)
    its = ports(box, **named)
    known = box.field.known()["gen"]
    box.field.put(box.field.made(evolve(known.device, line="second"), known.profile))
    assert its.wiring == wiring
    its.restore()
    assert box.field.known()["gen"].device.line == "second"


def test_port_0_is_no_port_and_everything_is_put_back(box_of):
    box = box_of()
    its = ports(box)
    assert its.use(Wiring(0, 0)) is True
    assert its.wiring.port == 0
    assert its.use(Wiring(2, 2)) is True
    assert box.field.wires()["native"].section.serial_address.baudrate == 115200
    its.restore()
    assert its.wiring == Wiring(2, 0)
    assert ports(box, port="disabled").wiring.port == 0


def test_a_speed_that_the_operator_has_changed_since_stays(box_of):
    box = box_of()
    its = ports(box)
    its.use(Wiring(2, 1))
    box.field.set_speed("native", at_speed(box.config.lines["native"], 115200))
    its.restore()
    assert its.wiring == Wiring(2, 2)


def test_what_was_kept_is_taken_up_again_while_the_settings_are_the_same(box_of):
    box = box_of()
    its = ports(box)
    its.use(Wiring(2, 1))
    its.keep()
    its.restore()
    other = ports(box, baudrate=115200)
    other.begin()
    assert other.wiring == Wiring(2, 2)
    other.restore()
    again = ports(box)
    again.begin()
    assert again.wiring == Wiring(2, 1)
    (box.folder / "state" / "smartgen.json").write_text("[]")
    again.restore()
    third = ports(box)
    third.begin()
    assert third.wiring == Wiring(2, 0)


def test_a_controller_at_another_speed_is_found_by_its_answer_and_kept_there(box_of):
    box = box_of(speed=19200)
    box.start()
    box.run(90)
    assert box.state().baudrate == 19200
    assert [facts["text"] for name, facts in box.events if name == "smartgen.found"] == [
        "the controller answers at port RS485 at 19200 bit/s"
    ]
    assert box.server.said(Changes)
    assert box.server.said(Login)[-1].wiring == Wiring(2, 1)
    kept = json.loads((box.folder / "state" / "smartgen.json").read_text())
    assert kept["one"]["wiring"] == [2, 1]


def test_a_controller_behind_another_port_is_found_there(box_of):
    box = box_of(SECOND, 'rs232_line = "second"\n', speed=115200, wired="second")
    box.start()
    box.run(120)
    assert (box.state().port, box.state().baudrate) == ("rs232", 115200)
    assert box.server.said(Changes)


def test_a_controller_that_is_nowhere_leaves_everything_as_it_was_and_is_looked_for_seldom(box_of):
    box = box_of(speed=300)
    box.start()
    box.run(600)
    seen = box.field.wires()["native"].section.serial_address.baudrate
    assert seen == 9600
    assert not [name for name, _ in box.events if name == "smartgen.found"]
    box.speed = 9600
    box.run(60)
    assert box.server.said(Changes)


def searched_for(box, own=9600):
    """Lets a box run until it looks for its controller at another speed than its `own`."""
    box.start()
    for _ in range(600):
        box.run(0.1)
        if box.state().is_searched_for and box.state().baudrate != own:
            return
    raise AssertionError("it is not looked for")


def test_a_session_that_ends_while_it_looks_leaves_the_line_as_it_was(box_of):
    box = box_of(keys="baudrate = 115200\n", speed=300)
    searched_for(box, 115200)
    box.clouds.leave(evolve(box.config, services={}))
    for _ in range(10):
        assert box.field.wires()["native"].section == box.config.lines["native"]
        box.run(1)


def test_nothing_is_written_to_a_controller_that_is_looked_for(box_of):
    box = box_of(speed=300)
    searched_for(box)
    box.link.say(box.link.talk.write("00050003FF007DEB"))
    box.run(6)
    assert [each.is_done for each in box.server.said(Written)] == [False]
    assert box.asked == []
    (told,) = [facts["text"] for name, facts in box.events if name == "smartgen.command"]
    assert told.startswith("the server's command was refused: ") and told.endswith(": it is being looked for")


def test_nothing_is_looked_for_where_that_is_not_wanted(box_of):
    box = box_of(keys="auto_port = false\n", speed=19200)
    box.start()
    box.run(120)
    assert box.state().baudrate == 9600
    assert not box.state().is_searched_for


def test_a_server_that_may_changes_the_speed_for_good(box_of):
    box = box_of(keys="allow_rewire = true\nauto_port = false\n")
    box.start()
    box.run(6)
    box.speed = 115200
    box.link.say(box.link.talk.says(WriteConfig(wiring=Wiring(2, 2), uid="7")))
    box.run(6)
    assert [each.wiring for each in box.server.said(Written)] == [Wiring(2, 2)]
    box.server.heard.clear()
    box.run(10)
    assert box.server.said(Changes)
    assert Kept(box.folder / "state").wiring("one", "native rs485 None {}") == Wiring(2, 2)


def test_a_server_that_may_not_changes_nothing(box_of):
    box = box_of()
    box.start()
    box.run(6)
    box.link.say(box.link.talk.says(WriteConfig(wiring=Wiring(2, 2), uid="7")))
    box.run(3)
    assert [each.wiring for each in box.server.said(Written)] == [Wiring(2, 0)]


def test_a_disabled_port_asks_nothing_and_writes_nothing(box_of):
    box = box_of(keys='port = "disabled"\n')
    box.start()
    box.run(6)
    assert box.server.said(Login)[0].wiring.port == 0
    box.link.say(box.link.talk.write("00050003FF007DEB"))
    box.run(5)
    assert [each.is_done for each in box.server.said(Written)] == [False]
    assert box.asked == []
    assert box.state().port == "disabled" and box.state().baudrate is None
