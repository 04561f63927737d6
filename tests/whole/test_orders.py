"""The whole program with two simulated controllers on a serial port: who is obeyed, who is not, and what is told."""

import pytest
import pytest_twisted

from concentrator.app.control import NotDone
from concentrator.wire.checksum import crc16
from tests.support.bus import simulated_bus
from tests.support.whole import BareBox

TEXT = """
[box]
state_dir = "state"
plugin_dirs = []

[web]
listen = []

[line.gensets]
endpoint = "serial:{bus}"
role = "external"

[device.free]
line = "gensets"
profile = "smartgen/hgm6100n"
model = "HGM6120N"
address = 3
interval = "0.5 s"
allow_commands = true
allow_raw = true

[device.locked]
line = "gensets"
profile = "smartgen/hgm6100n"
model = "HGM6120N"
address = 4
interval = "0.5 s"

[input.1]
function = "remote_inhibit"
"""


def frame(text):
    body = bytes.fromhex(text)
    return (body + crc16(body).to_bytes(2, "little")).hex()


def refused(box, name, **arguments):
    """The code of the error with which the box refuses."""
    with pytest.raises(NotDone) as caught:
        box.act(name, **arguments)
    return caught.value.code


def status(box, uid):
    return box.act("genset.status", uid=uid)


def orders(box):
    """Whom what was ordered of, and how it went, as the events tell it, oldest first."""
    found = box.act("events.list", name="genset.command")["events"]
    return [tuple(each["facts"][key] for key in ("device", "command", "outcome")) for each in reversed(found)]


@pytest_twisted.ensureDeferred
async def test_one_controller_obeys_the_other_is_locked_and_an_input_stops_everybody(tmp_path):
    with simulated_bus(tmp_path, "--profile", "smartgen/hgm6100n@3,4") as bus:
        box = BareBox(tmp_path, TEXT.format(bus=bus.port))
        box.start()
        try:
            await box.until(
                lambda: box.status() and {status(box, uid)["mode"] for uid in ("free", "locked")} == {"auto"},
                60,
                "both controllers",
            )
            done = box.act("genset.command", uid="free", command="manual")
            assert (done["outcome"], done["status"]["mode"]) == ("confirmed", "manual")
            assert status(box, "free")["mode"] == "manual"
            done = box.act("modbus.raw", uid="free", request=frame("01 05 00 00 FF 00"))
            assert (done["outcome"], done["reply"]) == ("confirmed", "050000FF00")
            await box.until(lambda: status(box, "free")["running"], 30, "running")

            assert refused(box, "genset.command", uid="locked", command="manual") == "denied"
            assert refused(box, "modbus.raw", uid="locked", request=frame("00 05 00 04 FF 00")) == "denied"
            assert refused(box, "modbus.raw", uid="free", request=frame("04 05 00 04 FF 00")) == "denied"
            reply = box.act("modbus.raw", uid="locked", request=frame("00 01 00 28 00 04"))["reply"]
            assert reply == "010102", "locked is in mode auto still, and may be read"

            box.act("input.set", input=1, active=True)
            assert refused(box, "genset.command", uid="free", command="stop") == "denied"
            assert refused(box, "modbus.raw", uid="free", request=frame("01 05 00 01 FF 00")) == "denied"
            assert status(box, "free")["running"]
            box.act("input.set", input=1, active=False)
            assert box.act("genset.command", uid="free", command="stop")["status"]["mode"] == "stop"

            told = [
                ("free", "manual", "confirmed"), ("free", "start", "confirmed"), ("locked", "manual", "denied"),
                ("locked", "manual", "denied"), ("free", "stop", "denied"), ("free", "stop", "denied"),
                ("free", "stop", "confirmed"),
            ]  # fmt: skip
            await box.until(lambda: orders(box) == told, 20, "all told")
            box.stop()
            assert "Traceback" not in box.log()
        finally:
            box.end()
