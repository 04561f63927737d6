"""The whole program, spoken to over a real broker, and changed while it runs: nothing is carried out twice, nothing of
the past is lost or doubled, and the lines are read on."""

import json
import sqlite3
import subprocess
from collections import Counter
from contextlib import closing

import pytest
import pytest_twisted

from concentrator.app.cli import main
from concentrator.app.records import records
from concentrator.model.record import EVENT_PERIOD
from tests.support.brokers import Mosquitto
from tests.support.bus import simulated_bus
from tests.support.sites import meter
from tests.support.whole import BareBox, Subscriber

SITE = """\
# Our site
[box]
state_dir = "{state}"
serial = "4220080001"
plugin_dirs = []

[line.native]
endpoint = "serial:{port}:baudrate=9600"

[history]
enabled = false

# The cloud's broker
[mqtt]
host = "mqtt://127.0.0.1"
port = {broker}
latency = "10 s"   # as the manual has it
password = "secret"
allow = {allow}

[web]
listen = []
"""


class Talk:
    """A box with one meter, its broker, and somebody who asks it things."""

    def __init__(self, folder, bus, allow):
        (folder / "broker").mkdir()
        self.broker = Mosquitto(folder / "broker")
        self.broker.start()
        self.subscriber = Subscriber(self.broker.back_port, folder)
        text = SITE.format(state=folder / "state", port=bus.port, broker=self.broker.port, allow=json.dumps(allow))
        self.box = BareBox(folder, text + meter("main", 1, 'interval = "1 s"\nallow_write = true\n'))

    async def begin(self):
        self.box.start()
        await self.box.until(lambda: self.is_up() and self.box.values("main")["v1"], 30, "connected and reading")

    def is_up(self):
        status = self.box.status()
        return status and status["uplinks"][0]["is_up"]

    def publish(self, payload, *options):
        """Publishes a command; with QoS 1, so that the broker has it when this is back."""
        topic = "/ccm/dev/4220080001/cmd"
        command = ["mosquitto_pub", "-p", str(self.broker.back_port), "-q", "1", "-t", topic, *options, "-m", payload]
        subprocess.run(command, check=True, timeout=20)

    async def ask(self, id, cmd, **args):
        """The answer to a command, all parts of it."""
        self.publish(json.dumps({"id": id, "cmd": cmd, "args": args}))
        await self.box.until(lambda: any(not a.get("more") for a in self.answers(id)), 20, f"answered {cmd}")
        return self.answers(id)

    def answers(self, id):
        return [said for topic, said in self.subscriber.messages() if topic.endswith("/rsp") and said["id"] == id]

    def events(self, name):
        """Those told of, repeats dropped."""
        found = {(s["j"], s["n"]): s for topic, s in self.subscriber.messages() if topic.endswith("/event")}
        return [said for said in found.values() if said["event"] == name]

    def noted(self):
        """The commands on the disk whose answer is there too."""
        file = f"file:{self.box.state}/journal.db?mode=ro"
        with closing(sqlite3.connect(file, uri=True)) as connection:
            return [id for (id,) in connection.execute("SELECT id FROM command WHERE answer IS NOT NULL")]

    def end(self):
        self.box.end()
        self.subscriber.stop()
        self.broker.kill()


@pytest.fixture
def talk(tmp_path, request):
    with simulated_bus(tmp_path, "--meters", "1") as bus:
        talk = Talk(tmp_path, bus, request.param)
        try:
            yield talk
        finally:
            talk.end()


@pytest.mark.parametrize("talk", [["read", "write"]], indirect=True)
@pytest_twisted.ensureDeferred
async def test_commands_are_answered_and_a_write_is_carried_out_once_over_a_kill(talk):
    await talk.begin()
    (answer,) = await talk.ask("who", "devices.list")
    assert [each["uid"] for each in answer["result"]] == ["main"]
    (answer,) = await talk.ask(1, "device.read", uid="main", name="direction_mode")
    before = answer["result"]["value"]
    after = 1 if before != 1 else 0
    write = {"uid": "main", "name": "direction_mode", "value": after}
    (answer,) = await talk.ask("w1", "device.write", **write)
    assert (answer["ok"], answer["result"]["value"]) == (True, after)
    (answer,) = await talk.ask("no", "config.set", changes={"mqtt": {"allow": ["system"]}})
    assert answer["error"]["code"] == "denied"
    (answer,) = await talk.ask("out", "output.set", output="relay1", on=True)
    assert answer["error"]["code"] == "denied"

    await talk.box.until(lambda: '"w1"' in talk.noted(), 10, "noted")
    talk.box.kill()
    await talk.begin()
    talk.publish(json.dumps({"id": "w1", "cmd": "device.write", "args": write}))
    await talk.box.until(lambda: len(talk.answers("w1")) == 2, 20, "answered again")
    first, again = talk.answers("w1")
    assert again == first
    await talk.box.until(lambda: talk.events("device.written"), 10, "told")
    assert len(talk.events("device.written")) == 1

    talk.publish(json.dumps({"id": "kept", "cmd": "status"}), "-r")
    await talk.ask("after", "link.status")
    talk.box.stop()
    talk.box.start()
    await talk.box.until(talk.is_up, 30, "connected")
    await talk.ask("later", "status")
    assert len(talk.answers("kept")) == 1, "when it was published, and not when the broker told of it again"
    await talk.box.until(lambda: records(talk.box.state, 10), 20, "records")
    (part,) = await talk.ask("past", "history.get", device="main", start=0, period=10, names=["v1"])
    kept = [record for record in records(talk.box.state, 10)]
    assert part["more"] is False
    assert [row[2] for row in part["result"]["rows"]] == [r.values.get("v1") for r in kept][
        : len(part["result"]["rows"])
    ]
    counts = talk.box.status()["uplinks"][0]["commands"]
    assert counts["retained"] == 1 and counts["done"] >= 2
    talk.box.stop()
    assert "Traceback" not in talk.box.log()
    assert "secret" not in talk.box.log()


@pytest.mark.parametrize("talk", [["read", "config"]], indirect=True)
@pytest_twisted.ensureDeferred
async def test_the_latency_changes_while_it_runs_and_nothing_is_lost_or_doubled(talk, capsys):
    await talk.begin()
    box = talk.box
    await box.until(lambda: [each for each in talk.subscriber.data() if each["period"] == 10], 25, "a first interval")
    place = ("--state-dir", str(box.state))
    assert main(["config", "set", "mqtt", "latency=1 min", *place]) == 0
    assert capsys.readouterr().out == "mqtt.latency: at work within a second\n"
    await box.until(lambda: talk.events("config.changed"), 10, "changed")
    assert talk.events("config.changed")[0]["sections"] == ["mqtt"]
    assert main(["config", "get", "mqtt", "latency", *place]) == 0
    assert capsys.readouterr().out == 'mqtt.latency = "1 min"\n'
    assert 'latency = "1 min"   # as the manual has it\n' in box.config.read_text()
    tens = len([each for each in talk.subscriber.data() if each["period"] == 10])

    await box.until(talk.is_up, 20, "connected again")
    (answer,) = await talk.ask("c1", "config.set", changes={"mqtt": {"latency": "10 s"}})
    assert answer["result"] | {"warnings": []} == {
        "changed": ["mqtt.latency"], "live": ["mqtt.latency"], "restart": [], "warnings": [],
    }  # fmt: skip
    await box.until(lambda: len(talk.events("config.changed")) == 2, 10, "changed again")
    await box.until(talk.is_up, 20, "connected again")
    (answer,) = await talk.ask("c2", "config.set", changes={"mqtt": {"allow": ["read", "system"]}})
    assert answer["error"]["code"] == "denied"
    (answer,) = await talk.ask("c3", "config.set", changes={"mqtt": {"latency": "7 s"}})
    assert (answer["error"]["code"], "latency" in answer["error"]["message"]) == ("config", True)
    (answer,) = await talk.ask("c4", "config.get", section="mqtt")
    assert answer["result"]["values"]["mqtt"]["latency"] == "10 s"
    assert answer["result"]["secrets"] == ["mqtt.password"]
    assert "password" not in answer["result"]["values"]["mqtt"]
    (answer,) = await talk.ask("c5", "config.set", changes={"box": {"timezone": "UTC"}})
    assert (answer["result"]["live"], answer["result"]["restart"]) == ([], ["box.timezone"])
    await box.until(
        lambda: len([each for each in talk.subscriber.data() if each["period"] == 10]) > tens + 1, 40, "tens again"
    )
    assert box.log().count("serial 4220080001") == 1, "it ran on"
    assert box.status()["lines"][0]["counters"].get("opens", 1) == 1
    told = talk.subscriber.data()
    newest = max(each["n"] for each in told)
    kept = [r for r in records(box.state, None) if r.draft.period != EVENT_PERIOD and r.n <= newest]
    assert {r.draft.period for r in kept} == {10, 60}
    assert Counter(each["n"] for each in told) == Counter(record.n for record in kept)
    box.stop()
    assert "Traceback" not in box.log()
