"""concentrator.app.orders: an order finds its controller, and nothing of it is loaded before."""

import subprocess
import sys

import pytest
from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from concentrator.actions.orders import order_actions
from concentrator.actions.table import ActionTable, Caller, Permission
from concentrator.app.orders import Ordering
from concentrator.model.errors import Busy, Denied, LineLost, Unknown
from tests.support.fields import StillBox
from tests.support.records import FixedWall

results = SynchronousTestCase()
SERVER = Caller("smartgen main", frozenset({Permission.WRITE}))
TEXT = """\
[box]
state_dir = "state"
plugin_dirs = []

[line.rs485]
endpoint = "serial:/dev/null"
role = "external"

[device.g1]
line = "rs485"
profile = "smartgen/hgm6100n"
address = 3
model = "HGM6120N"
allow_commands = true
allow_raw = true

[device.g2]
line = "rs485"
profile = "smartgen/hgm6100n"
address = 4
model = "HGM6110"
allow_commands = true
"""
START = "03 05 0000 FF00 8DD8"


@pytest.fixture
def box(tmp_path):
    return StillBox(tmp_path, TEXT)


def table_of(box, inhibited=lambda: ""):
    ordering = Ordering(box.field, FixedWall(), box.report, inhibited)
    table = ActionTable(lambda entry: None)
    for action in order_actions(ordering.command, ordering.raw):
        table.register(action)
    return table


def call(box, name, **arguments):
    return table_of(box).call(name, arguments, SERVER)


def test_the_keys_of_a_device_say_what_it_may_be_told(box):
    g1, g2 = (box.field.known()[uid].device for uid in ("g1", "g2"))
    assert (g1.model, g1.allow_commands, g1.allow_unverified, g1.allow_raw) == ("HGM6120N", True, False, True)
    assert (g2.allow_raw, evolve(g2, model="").allow_commands) == (False, True)


def test_an_order_goes_to_the_line_of_its_controller(box):
    for name, arguments in (("genset.command", {"command": "start"}), ("modbus.raw", {"request": START})):
        results.failureResultOf(call(box, name, uid="g1", **arguments), LineLost)
    assert [(facts["command"], facts["by"], facts["outcome"]) for _, facts in box.events] == [
        ("start", "smartgen main", "line_lost"),
        ("start", "smartgen main", "line_lost"),
    ]


def test_a_line_that_is_used_otherwise_takes_no_orders(box):
    box.field.poller("rs485").suspend("devices are being linked")
    results.failureResultOf(call(box, "genset.command", uid="g1", command="start"), Busy)


def test_what_is_not_allowed_is_denied(box):
    failure = results.failureResultOf(call(box, "genset.command", uid="g2", command="start"), Denied)
    assert "verified for HGM6120N only, and its model is HGM6110" in failure.value.detail
    results.failureResultOf(call(box, "modbus.raw", uid="g2", request="0005 0000 FF00 8DEB"), Denied)
    asked = table_of(box, lambda: "input 1 inhibits remote control").call(
        "genset.command", {"uid": "g1", "command": "start"}, SERVER
    )
    assert results.failureResultOf(asked, Denied).value.detail == "input 1 inhibits remote control"


def test_a_device_that_is_not_there_is_said_to_be_unknown(box):
    for name, arguments in (("genset.command", {"command": "start"}), ("modbus.raw", {"request": START})):
        failure = results.failureResultOf(call(box, name, uid="g", **arguments), Unknown)
        assert "device g (did you mean g" in failure.value.detail


def test_a_box_without_orders_loads_nothing_of_them():
    program = (
        "import sys, concentrator.app.orders, concentrator.actions.orders\n"
        "print([name for name in sys.modules if name.startswith(('concentrator.poll.orders',"
        " 'concentrator.poll.controller', 'concentrator.wire.modbus_raw', 'concentrator.profile.genset_status'))])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
