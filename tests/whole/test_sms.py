"""The whole program with a simulated genset and a simulated modem, each behind a real port: orders by short message,
and what of them is refused."""

import pytest_twisted
from twisted.internet.threads import deferToThread

from tests.support.simulation import simulation
from tests.support.whole import BareBox

KNOWN, STRANGER = "+861366666666", "+15550001111"
TEXT = """
[box]
state_dir = "state"
plugin_dirs = []

[web]
listen = []

[line.gensets]
endpoint = "serial:{bus}"
role = "external"

[device.gen]
line = "gensets"
profile = "smartgen/hgm6100n"
address = 1
alias = "Main genset"
interval = "0.5 s"
allow_commands = true
allow_unverified = true

[sms.main]
driver = "at"
endpoint = "serial:{modem}:baudrate=115200"
numbers = ["861366666666"]
device = "gen"
detail = ["mode", "genset", "alarm"]
"""


def ordered(modem, order, sender=KNOWN):
    """What is answered to an order."""
    modem.tell(f"receive {sender} {order}")
    return modem.heard()


@pytest_twisted.ensureDeferred
async def test_a_genset_is_ordered_about_by_short_messages(tmp_path):
    bus, modem = str(tmp_path / "bus"), str(tmp_path / "modem")
    with (
        simulation("--json", "--profile", "smartgen/hgm6100n@1", "--link", bus),
        simulation("at-modem", "--link", modem, "--registers-after", "0.5", "--sends-in", "0.1") as phone,
    ):
        box = BareBox(tmp_path, TEXT.format(bus=bus, modem=modem))
        box.start()
        try:
            await box.until(lambda: is_ready(box), 60, "the genset and the modem")
            mode, runs = status(box)["mode"].upper(), status(box)["running"]
            answer = await deferToThread(ordered, phone, "SMS GENSET")
            assert answer == {
                "sent": f"SYSTEM IN {mode} MODE GENSET {'IS RUNNING' if runs else 'AT REST'}",
                "to": KNOWN,
            }
            phone.tell(f"receive {STRANGER} SMS STOP MODE")
            assert (await deferToThread(ordered, phone, "SMS MANUAL MODE"))["sent"] == "SMS MANUAL MODE OK"
            assert status(box)["mode"] == "manual"
            assert (await deferToThread(ordered, phone, "SMS START"))["sent"] == "SMS START OK"
            await box.until(lambda: status(box)["running"], 60, "running")
            detail = (await deferToThread(ordered, phone, "SMS DETAIL"))["sent"]
            assert detail.startswith("MODE MANUAL, GENSET RUNNING") and detail.endswith("ALARM NONE")
            assert (await deferToThread(ordered, phone, "SMS STOP MODE"))["sent"] == "SMS STOP OK"
            found = state(box)
            assert (found["received"], found["refused"], found["answered"]) == (6, 1, 5)
            assert KNOWN[1:] not in box.log() and STRANGER[1:] not in box.log()
            box.stop()
        finally:
            box.end()


def is_ready(box):
    return box.status() and status(box)["mode"] != "unknown" and state(box)["is_ready"]


def status(box):
    return box.act("genset.status", uid="gen")


def state(box):
    (found,) = box.act("sms.state")
    return found
