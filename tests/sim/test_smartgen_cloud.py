"""concentrator.sim.smartgen_cloud: a session gets along with the strict server, with each way to err, and with all of
them at once."""

import json

import pytest
from attrs import evolve

from concentrator.sim.smartgen_cloud import MANNERS, MOST_HEARD, CloudServer, order_of, told
from concentrator.wire import smartgen
from concentrator.wire.smartgen_fields import Frame, Wiring
from concentrator.wire.smartgen_server import LoginAnswer, Reset, WriteConfig
from tests.support.clouds import CloudBox, raw

LIVE = ("live.example", 21318)
READS = (raw("010300000010"), raw("010301000010"))
ANSWER = LoginAnswer(live=LIVE, always=READS, online_s=3.0, offline_s=3.0)
AUTO = "00050003FF007DEB"


@pytest.fixture
def talked(tmp_path):
    """A whole conversation with a server of these manners: uploads, an order, another, a reset; gives the box."""
    boxes = []

    def talk(*manners, answer=ANSWER, **server):
        box = CloudBox(tmp_path / str(len(boxes)), CloudServer(answer, manners=frozenset(manners), **server))
        boxes.append(box)
        box.start()
        box.run(8)
        box.link.say(box.link.talk.write(AUTO, uid="7"))
        box.run(2)
        box.link.say(box.link.talk.says(WriteConfig(wiring=Wiring(2, 1), uid="8")))
        box.run(2)
        box.link.say(box.link.talk.says(Reset()))
        box.run(8)
        return box

    yield talk
    for box in boxes:
        box.stop()


WAYS = {"strict": (), **{manner: (manner,) for manner in MANNERS}, "sloppy": MANNERS}


@pytest.mark.parametrize("manners", WAYS.values(), ids=WAYS)
def test_a_whole_conversation_with_a_server_of_that_manner(talked, manners):
    box = talked(*manners)
    server = box.server
    assert server.faults == []
    assert box.state().standing == "Online"
    assert len(server.said(smartgen.Login)) == 2
    assert len(server.said(smartgen.ResetTaken)) == 1
    place = ("cm.example", 81) if "no_live" in manners else LIVE
    assert box.link.place == place
    assert [(each.command, each.is_done, each.uid, each.wiring) for each in server.said(smartgen.Written)] == [
        (AUTO, False, "7", None),
        (None, False, "8", Wiring(2, 0)),
    ]
    whole = server.said(smartgen.Changes)[0]
    assert [(run.function, run.address, len(run.content)) for run in whole.runs] == [(3, 0, 32), (3, 256, 32)]
    assert box.state().rate_s == 3.0
    assert len(server.said(smartgen.Timing)) == 2


def test_a_wrong_password_is_refused(talked, tmp_path):
    box = CloudBox(tmp_path / "refused", CloudServer(ANSWER, password="other"))
    box.start()
    box.run(5)
    assert box.state().standing == "Waiting: the server refuses: 000002 wrong password"
    assert (box.state().is_logged_in, box.state().is_online) == (False, False)
    box.stop()


def test_two_messages_in_a_segment_or_one_in_two_are_faults():
    server = CloudServer()
    talk = server.talk()
    message = smartgen.Heartbeat("A").written()
    for segment in (message * 2, message[:10], message[10:], b"\xff"):
        assert talk.heard(segment) == []
    assert len(server.faults) == 4
    assert [json.loads(each)["method"] for each in talk.heard(message)] == ["HB"]


def test_it_remembers_the_newest_messages_and_what_the_controller_has():
    server = CloudServer()
    talk = server.talk()
    for _ in range(MOST_HEARD + 3):
        talk.heard(smartgen.Heartbeat("A").written())
    assert len(server.heard) == MOST_HEARD
    talk.heard(
        smartgen.Changes("A", (smartgen.Run(3, 5, b"\x01\x02\x03\x04"), smartgen.Run(1, 8, b"\x0f\xf0"))).written()
    )
    assert server.values["A"] == {(3, 5): 0x102, (3, 6): 0x304, (1, 8): 15, (1, 16): 240}


def test_what_it_hears_is_told_to_people():
    assert told(smartgen.Login("A", "Site", "secret", "HGM6110", Wiring(2, 1), smartgen.Location(1.0, 2.0))) == {
        "said": "Login",
        "hostid": "A",
        "name": "Site",
        "model": "HGM6110",
        "modulePort": 2,
        "moduleBaud": 1,
        "longitude": "1.000000",
        "latitude": "2.000000",
        "Gpsen": 1,
        "gsen": 1,
        "altitude": "0.0",
    }
    assert told(smartgen.FullSet("A", (b"\x01",), 7))["frames"] == ["01"]
    assert told(smartgen.Changes("A", (smartgen.Run(3, 5, b"\x01\x02"),), smartgen.Inputs(fire=True)))["runs"] == [
        "03:0005=0102"
    ]
    assert told(smartgen.Written("A", "7", AUTO, True))["done"] is True


def test_orders_are_lines_of_text():
    assert order_of("write 0005 0003 FF00 7DEB") == WriteConfig(AUTO, uid="sim")
    assert order_of("rewire 2 1") == WriteConfig(wiring=Wiring(2, 1), uid="sim")
    assert order_of("reset") == Reset()
    with pytest.raises(ValueError, match="expected write HEX"):
        order_of("dance")


def test_a_damaged_command_of_a_list_costs_that_command_only(talked):
    server = CloudServer(
        evolve(ANSWER, always=(*READS, Frame(1, b"\x03\x00\x00\x00\x02"))), manners=frozenset({"blanks"})
    )
    assert b"FFFFFF" in server.segments(server.answer)[0]
