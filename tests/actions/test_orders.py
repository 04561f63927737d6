"""concentrator.actions.orders: what is ordered, in whose name, and what comes back."""

import json

import pytest
from attrs import frozen
from twisted.internet.defer import fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from concentrator.actions.orders import order_actions
from concentrator.actions.table import ActionTable, AuditEntry, Caller, Permission, code_of
from concentrator.model.errors import Busy, Denied, WrongArguments
from concentrator.model.genset import Alarm, GensetStatus, Mode

results = SynchronousTestCase()
SERVER = Caller("smartgen main", frozenset({Permission.READ, Permission.WRITE}))
READER = Caller("a reader", frozenset({Permission.READ}))
STATUS = GensetStatus(
    Mode.AUTO, is_running=False, alarm=Alarm.WARNING, mains_ok=True, engine="standby", alarms=("low fuel",)
)


@frozen
class Done:
    outcome: str = "confirmed"
    status: GensetStatus | None = STATUS
    reply: bytes = b""
    is_write: bool = True


class Box:
    def __init__(self, answer):
        self.asked, self.audit, self.answer = [], [], answer
        self.table = ActionTable(self.audit.append)
        for action in order_actions(self.order, self.order):
            self.table.register(action)

    def order(self, *arguments):
        self.asked.append(arguments)
        return self.answer

    def call(self, name, caller=SERVER, **arguments):
        return self.table.call(name, arguments, caller)


def test_a_command_goes_out_in_the_callers_name_and_tells_how_the_genset_is():
    box = Box(succeed(Done()))
    found = results.successResultOf(box.call("genset.command", uid="g1", command="auto"))
    assert {key: found[key] for key in ("uid", "command", "outcome")} == {
        "uid": "g1", "command": "auto", "outcome": "confirmed",
    }  # fmt: skip
    status = found["status"]
    assert (status["mode"], status["running"], status["alarms"]) == ("auto", False, ["low fuel"])
    assert json.loads(json.dumps(status))["alarm"] == "warning"
    assert box.asked == [("g1", "auto", "smartgen main")]


def test_a_command_of_which_nobody_looked_has_no_status():
    found = results.successResultOf(
        Box(succeed(Done("accepted", None))).call("genset.command", uid="g1", command="mute")
    )
    assert (found["outcome"], found["status"]) == ("accepted", None)


def test_a_request_is_bytes_and_its_reply_a_pdu():
    box = Box(succeed(Done("accepted", None, bytes.fromhex("0304000200FF"), is_write=False)))
    found = results.successResultOf(box.call("modbus.raw", uid="g1", request="01 03 0000 0002 C40B"))
    assert found == {"uid": "g1", "function": 3, "is_write": False, "outcome": "accepted", "reply": "0304000200FF"}
    assert box.asked == [("g1", bytes.fromhex("010300000002C40B"), "smartgen main")]


@pytest.mark.parametrize("text", ["01 03 0", "xyz", "01;03"])
def test_what_is_no_hexadecimal_is_said_to_be_none(text):
    box = Box(succeed(Done()))
    results.failureResultOf(box.call("modbus.raw", uid="g1", request=text), WrongArguments)
    assert box.asked == []


@pytest.mark.parametrize(
    ("name", "arguments"), [("genset.command", {"command": "start"}), ("modbus.raw", {"request": "010300000002C40B"})]
)
def test_who_may_only_read_orders_nothing(name, arguments):
    box = Box(succeed(Done()))
    results.failureResultOf(box.call(name, READER, uid="g1", **arguments), Denied)
    assert box.asked == []


def test_an_order_is_audited_with_who_gave_it_and_how_it_went():
    box = Box(fail(Busy("g1: start is on its way")))
    arguments = {"uid": "g1", "command": "stop"}
    failure = results.failureResultOf(box.call("genset.command", **arguments), Busy)
    assert code_of(failure.value) == "busy"
    assert box.audit == [
        AuditEntry("smartgen main", "genset.command", arguments, "begun"),
        AuditEntry("smartgen main", "genset.command", arguments, "busy"),
    ]
