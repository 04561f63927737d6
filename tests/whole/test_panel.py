"""The front of the whole program: what its inputs and outputs do, over a real broker, other settings and a kill."""

import pytest
import pytest_twisted

from tests.support.brokers import Mosquitto
from tests.support.whole import BareBox, Subscriber

SITE = """\
[box]
model = "PRO"
state_dir = "{state}"
serial = "4220080001"
plugin_dirs = []

[history]
enabled = false

[mqtt]
host = "mqtt://127.0.0.1"
port = {broker}

[web]
listen = []

[panel]
scheme = "cmm365"

[input.1]
function = "fire_alarm"
active = "open"

[output.relay1]
function = "common_alarm"
"""


class Cabinet:
    """A box with nothing on its lines, its broker, and who listens there."""

    def __init__(self, folder):
        (folder / "broker").mkdir()
        self.broker = Mosquitto(folder / "broker")
        self.broker.start()
        self.subscriber = Subscriber(self.broker.back_port, folder)
        self.box = BareBox(folder, SITE.format(state=folder / "state", broker=self.broker.port))

    async def begin(self):
        self.box.start()
        await self.box.until(self.is_up, 30, "connected")

    def is_up(self):
        status = self.box.status()
        return status and status["uplinks"] and status["uplinks"][0]["is_up"]

    def alarms(self):
        """The alarms of inputs that arrived, each once, in their order."""
        told = {(s["j"], s["n"]): s for topic, s in self.subscriber.messages() if topic.endswith("/event")}
        return [(s["function"], s["active"]) for _, s in sorted(told.items()) if s["event"] == "input.alarm"]

    def panel(self):
        """Its lights, and whether each relay is closed."""
        shown = self.box.act("panel.get")
        return shown["lights"], [each["value"] for each in shown["outputs"][:2]]

    def end(self):
        self.box.end()
        self.subscriber.stop()
        self.broker.kill()


@pytest.fixture
def cabinet(tmp_path):
    cabinet = Cabinet(tmp_path)
    try:
        yield cabinet
    finally:
        cabinet.end()


@pytest_twisted.ensureDeferred
async def test_an_open_loop_is_an_alarm_everywhere_and_its_end_as_well(cabinet):
    await cabinet.begin()
    await cabinet.box.until(lambda: cabinet.alarms() == [("fire", True)], 10, "the open loop is an alarm")
    lights, relays = cabinet.panel()
    assert (lights["alarm"], lights["power"], lights["gprs"], relays) == ("steady", "red", "blink", [True, False])
    cabinet.box.act("input.set", input=1, active=False)
    assert cabinet.panel()[1] == [False, False], "at once"
    await cabinet.box.until(lambda: len(cabinet.alarms()) == 2, 10, "its end arrives")
    assert cabinet.alarms()[-1] == ("fire", False)
    assert cabinet.panel()[0]["power"] == "steady"


@pytest_twisted.ensureDeferred
async def test_a_relay_is_as_it_was_set_by_hand_after_a_function_a_kill_and_a_reset(cabinet):
    await cabinet.begin()
    box = cabinet.box
    box.act("input.set", input=1, active=False)
    box.act("output.set", output="relay2", on=True)
    box.act("config.set", changes={"output.relay2": {"function": "input2"}})
    await box.until(lambda: cabinet.panel()[1] == [False, False], 10, "the function is at work")
    box.kill()
    await cabinet.begin()
    box.act("input.set", input=1, active=False)
    assert cabinet.panel()[1] == [False, False]
    assert box.act("button.press", held_s=10) == {"gesture": "factory"}
    assert set(cabinet.panel()[0].values()) == {"blink"}
    await box.until(lambda: cabinet.panel()[1] == [False, True], 10, "set by hand again")
    shown = box.act("panel.get")
    assert [each["function"] for each in shown["inputs"]] == ["none", "lamp_test"]
    assert [each["function"] for each in shown["outputs"]] == ["manual"] * 3
    assert box.act("config.get", section="panel")["values"]["panel"]["scheme"] == "cmm365"
