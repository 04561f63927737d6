"""The whole program while a device of a new kind is added from the command line: its profile is a file in the user's
folder, it is recognised, read before it is kept, and then seen in the portal and at the broker, while the other line is
read as ever."""

import json
import struct
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest_twisted

from concentrator.app.launch import environment
from tests.support.brokers import Mosquitto, free_port
from tests.support.bus import simulated_bus
from tests.support.portal import Visitor
from tests.support.sites import meter
from tests.support.whole import PERIOD_S, SLACK, BareBox, Subscriber

SERVER = Path(__file__).parents[1] / "peers" / "serve_pymodbus.py"
INTERVAL_S = 1.0
NOBODY = "Nothing answered at ID 9 with 9600 8N1. Tried 1 setting, for other devices of the line are read with it."
SITE = """\
# Our site
[box]
state_dir = "{state}"
plugin_dirs = ["{plugins}"]

[line.native]
endpoint = "serial:{port}:baudrate=9600"

[line.roof]
endpoint = "tcp:127.0.0.1:{roof}"
role = "external"
protocol = "modbus-tcp"

[mqtt]
host = "mqtt://127.0.0.1"
port = {broker}
latency = "{period} s"

[web]
listen = "tcp:{http}:interface=127.0.0.1"
"""
PROFILE = """\
[profile]
type = "inverter"
brand = "Acme"
class = "string"
series = "A3"
models = ["A3-10"]
status = "proposed"
sign = "generation"
sources = ["this test"]

[[identify]]
what = "model code"
function = "holding"
address = 10
type = "u16"
match = "3310"

[[variable]]
name = "v1"
unit = "V"
function = "holding"
address = 100
type = "f32"

[[variable]]
name = "p"
unit = "kW"
function = "holding"
address = 102
type = "s32"
scale = 0.001

[[variable]]
name = "p_limit"
unit = "%"
function = "holding"
address = 110
type = "u16"
scale = 0.1
kind = "setpoint"
writable = true
range = [0, 100]
"""


def registers(form, *values):
    data = struct.pack(form, *values)
    return list(struct.unpack(f">{len(data) // 2}H", data))


HOLDING = {"10": [3310], "100": [*registers(">f", 231.5), *registers(">i", 4200)], "110": [1000]}


@contextmanager
def inverter(port):
    """An inverter at ID 7 of a server that is not ours."""
    command = [sys.executable, SERVER, "tcp", str(port)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            server.stdin.write(json.dumps({7: {"holding": HOLDING}}))
            server.stdin.close()
            assert server.stdout.readline() == "ready\n"
            yield
        finally:
            server.kill()


def ccmaster(box, *words):
    """Status, output and complaints of a command, given as in a shell."""
    command = [sys.executable, "-m", "concentrator.app.cli", *words, "--config", str(box.config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment(), check=False)
    return done.returncode, done.stdout, done.stderr


def widest_gap_s(bus):
    """The longest time between two readings of the meter's measurements."""
    began = [each.began for each in bus.exchanges() if each.unit == 1 and each.count > 20]
    return max(later - earlier for earlier, later in pairwise(began))


@pytest_twisted.ensureDeferred
async def test_a_device_of_a_new_kind_is_added_while_the_other_line_is_read_as_ever(tmp_path):
    for name in ("broker", "my"):
        (tmp_path / name).mkdir()
    roof, http = free_port(), free_port()
    broker = Mosquitto(tmp_path / "broker")
    broker.start()
    subscriber = Subscriber(broker.back_port, tmp_path)
    with simulated_bus(tmp_path, "--meters", "1") as bus, inverter(roof):
        text = SITE.format(
            state=tmp_path / "state",
            plugins=tmp_path / "my",
            port=bus.port,
            roof=roof,
            broker=broker.port,
            period=PERIOD_S,
            http=http,
        )
        box = BareBox(tmp_path, text + meter("main", 1, f'interval = "{INTERVAL_S:g} s"\n'))
        try:
            box.start()
            await box.until(lambda: box.status() and box.values("main")["v1"], 30, "reading")
            await box.until(subscriber.data, 3 * PERIOD_S, "publishing")

            assert ccmaster(box, "identify", "roof", "7")[1].startswith("A device answers at ID 7, but fits no")
            (tmp_path / "my" / "acme").mkdir()
            (tmp_path / "my" / "acme" / "a3.toml").write_text(PROFILE)
            status, out, err = ccmaster(box, "identify", "roof", "7", "--json")
            assert (status, err) == (0, "")
            found = json.loads(out)
            assert [each["profile"] for each in found["profiles"]] == ["acme/a3"]
            assert {each["name"]: each["value"] for each in found["values"]}["v1"] == 231.5
            status, out, _ = ccmaster(box, "identify", "native", "9")
            assert (status, out) == (1, f"{NOBODY}\n")

            before = box.config.read_text()
            add = ("--line", "roof", "--profile", "acme/a3")
            ghost = ("--line", "native", "--profile", "energycm/ccm", "--address", "9")
            status, out, err = ccmaster(box, "devices", "add", "ghost", *ghost)
            assert (status, out) == (1, "") and "nothing answered at ID 9 with 9600 8N1" in err
            assert "it was not added" in err
            status, out, err = ccmaster(box, "devices", "add", "ghost", *add, "--address", "9", "--yes")
            assert status == 1 and "model code: found nothing, expected 3310" in err
            assert box.config.read_text() == before

            status, out, err = ccmaster(box, "devices", "add", "roof", *add, "--address", "7", "--alias", "South roof")
            assert (status, err) == (0, ""), err
            assert "keeps the 1 rule of acme/a3" in out and "231.5" in out
            assert tomllib.loads(box.config.read_text())["device"]["roof"]["address"] == 7
            status, _, err = ccmaster(box, "devices", "add", "again", *add, "--address", "7")
            assert status == 1
            assert 'ID Modbus: 7 is taken on this line by "South roof". Free: 8, 9, 10…' in err

            await box.until(lambda: box.values("roof").get("p") == 4200.0, 15, "reading the new device")
            assert box.devices()["roof"]["serial"] == "INV_000001"
            await box.until(lambda: of(subscriber, "INV_000001"), 2 * PERIOD_S + 5, "its values at the broker")
            assert of(subscriber, "INV_000001")[0]["values"] == {"v1": 231.5, "p": 4200.0}
            visitor = Visitor(http, box.state)
            page = visitor.page("/devices/roof")
            assert "South roof" in page and "231.5" in page

            assert "allow_write of roof is false" in ccmaster(box, "devices", "write", "roof", "p_limit", "60")[2]
            assert ccmaster(box, "devices", "change", "roof", "--allow-write")[0] == 0
            status, _, err = ccmaster(box, "devices", "write", "roof", "p_limit", "101")
            assert status == 1 and "p_limit: found 101, expected 0 to 100 %" in err
            assert "v1 is only read" in ccmaster(box, "devices", "write", "roof", "v1", "230")[2]
            assert ccmaster(box, "devices", "write", "roof", "p_limit", "60")[:2] == (0, "60.0 %\n")
            assert ccmaster(box, "devices", "read", "roof", "p_limit")[:2] == (0, "60.0 %\n")

            native, other = box.status()["lines"]
            assert (native["counters"]["opened"], other["counters"]["opened"]) == (1, 1), "neither was opened anew"
            assert (native["stations"]["1"]["timeouts"], native["stations"]["1"]["garbled"]) == (0, 0)
            assert widest_gap_s(bus) < INTERVAL_S * SLACK
            box.stop()
            assert "Traceback" not in box.log()
        finally:
            box.end()
            subscriber.stop()
            broker.kill()


def of(subscriber, serial):
    """The intervals of a device that the broker had."""
    return [each for each in subscriber.data() if each["serial"] == serial]
