"""The command about gensets, asking a box over a real control socket."""

import json

import pytest
import pytest_twisted
from attrs import evolve
from twisted.internet.defer import fail, succeed

from concentrator.actions.gensets import genset_actions
from concentrator.actions.orders import order_actions
from concentrator.app.gensets import GensetState
from concentrator.model.errors import NotConfirmed
from concentrator.model.genset import Alarm, GensetStatus, Mode
from concentrator.poll.orders import Carried
from tests.support.web import FakeBox

STATUS = GensetStatus(
    Mode.AUTO,
    is_running=True,
    alarm=Alarm.WARNING,
    mains_ok=False,
    gen_on_load=True,
    engine="normal running",
    alarms=("low fuel warning",),
    details={"gen_v1": 231, "pf": 0.92},
    units={"gen_v1": "V", "pf": ""},
)
DENIED = "allow_commands of pump is false"
PUMP = GensetState("pump", "Pump", "smartgen/hgm6100n", "HGM6120N", "answering", STATUS, ("start", "stop"), DENIED)
SPARE = GensetState("spare", "Spare", "harsen/passthrough", "", "new", GensetStatus(), passes_through=True)


@pytest.fixture
def box():
    box = FakeBox()
    box.asked, box.gensets = [], [PUMP, SPARE]

    def give(uid, command, by):
        box.asked.append((uid, command, by))
        if command == "stop":
            return fail(NotConfirmed("stop was sent, but the controller shows mode auto"))
        return succeed(Carried("confirmed", STATUS) if command == "start" else Carried("accepted"))

    def raw(uid, frame, by):
        box.asked.append((uid, frame, by))
        return succeed(Carried("accepted", reply=bytes.fromhex("03020009"), is_write=False))

    for action in (*genset_actions(lambda: box.gensets), *order_actions(give, raw)):
        box.table.register(action)
    return box


@pytest_twisted.ensureDeferred
async def test_gensets_are_listed_in_a_line_each(box, run):
    expected = "pump         answering  mode auto, engine normal running, alarm warning\n"
    expected += "spare        new        mode unknown, engine not known, alarm unknown\n"
    assert (await run("genset"))[:2] == (await run("genset", "list"))[:2] == (0, expected)
    assert [each["uid"] for each in json.loads((await run("genset", "--json"))[1])] == ["pump", "spare"]
    box.gensets = []
    assert (await run("genset"))[1] == "no gensets\n"


@pytest_twisted.ensureDeferred
async def test_a_genset_is_shown_with_what_it_measures_and_what_it_may_be_told(box, run):
    status, out, _ = await run("genset", "status", "pump")
    assert (status, out.splitlines()) == (
        0,
        [
            "pump: mode auto, engine normal running, alarm warning",
            "  running: running",
            "  mains_ok: mains are away",
            "  mains_on_load: not known",
            "  gen_on_load: generator on load",
            "  alarm: low fuel warning",
            "  gen_v1: 231 V",
            "  pf: 0.92",
            "  commands: start, stop; but allow_commands of pump is false",
        ],
    )
    box.gensets = [evolve(PUMP, forbidden=""), SPARE]
    assert (await run("genset", "status", "pump"))[1].splitlines()[-1] == "  commands: start, stop"
    assert (await run("genset", "status", "spare"))[1].splitlines()[-1] == "  commands: none"
    assert json.loads((await run("genset", "status", "pump", "--json"))[1])["mode"] == "auto"


@pytest_twisted.ensureDeferred
async def test_a_command_says_what_became_of_it(box, run):
    assert (await run("genset", "command", "pump", "start"))[:2] == (
        0, "pump: start is confirmed: mode auto, engine normal running, alarm warning\n",
    )  # fmt: skip
    assert (await run("genset", "command", "pump", "mute"))[:2] == (0, "pump: mute is accepted\n")
    status, out, err = await run("genset", "command", "pump", "stop")
    assert (status, out) == (1, "")
    assert err.endswith("stop was sent, but the controller shows mode auto\n")
    assert [each[:2] for each in box.asked] == [("pump", "start"), ("pump", "mute"), ("pump", "stop")]
    assert json.loads((await run("genset", "command", "pump", "start", "--json"))[1])["outcome"] == "confirmed"


@pytest_twisted.ensureDeferred
async def test_a_request_goes_out_as_it_is_and_its_reply_is_shown(box, run):
    assert (await run("genset", "raw", "pump", "01", "03", "00", "22", "00", "01", "24", "00"))[:2] == (0, "03020009\n")
    assert box.asked[0][:2] == ("pump", bytes.fromhex("0103002200012400"))
    assert (await run("genset", "raw", "pump", "0103z"))[0] == 1
