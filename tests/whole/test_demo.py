"""The demo as its reader sees it: all meters every ten seconds, and files that say what the journal says."""

import json
import signal
import subprocess
import sys
import time
from collections import defaultdict
from itertools import pairwise

import pytest_twisted

from concentrator.app.control import act, ask
from concentrator.app.launch import environment
from concentrator.app.records import records
from tests.support.brokers import free_port
from tests.support.whole import FILE_S, PERIOD_S, Subscriber, at, not_filed, not_published, pause

METERS = 8
EXTERNAL = {"inverter": ("p", "dc_p1", "grid_p", "bat_p", "e_total"), "analyser": ("p", "v1", "f", "ea_imp")}
"""The devices of other makers, by short id, and what they must tell among other things."""
DEVICES = METERS + len(EXTERNAL)
SECONDS = 85
START_S, DELIVERY_S = 40, 12
"""How long the demo may take to its first message, and a file to arrive after its period, on a busy machine."""


@pytest_twisted.ensureDeferred
async def test_the_demo_publishes_every_device_and_files_what_is_journalled(tmp_path):
    folder, mqtt_port = tmp_path / "demo", free_port()
    ports = {"--mqtt-port": mqtt_port, "--ftp-port": free_port(), "--http-port": free_port()}
    options = [str(word) for option in ports.items() for word in option]
    command = [sys.executable, "-m", "concentrator.app.cli", "demo", "--dir", str(folder), "--for", str(SECONDS)]
    began = time.time()
    demo = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True, env=environment())
    subscriber, shown = None, {}
    try:
        assert "portal" in "".join(demo.stdout.readline() for _ in range(5))
        subscriber = Subscriber(mqtt_port, tmp_path)
        while demo.poll() is None:
            await pause(1)
            if time.time() - began > SECONDS / 2 and not shown:
                shown = {uid: ask(folder / "state", f"/api/devices/{uid}") for uid in EXTERNAL}
        said = demo.stdout.read()
        assert demo.returncode == 0, said
    finally:
        demo.kill()
        demo.wait()
        if subscriber is not None:
            subscriber.stop()
    assert "The first MQTT message" in said
    assert "The first file" in said

    ends = defaultdict(list)
    for payload in subscriber.data():
        ends[payload["serial"]].append(at(payload["ts"]))
    assert len(ends) == DEVICES
    for uid, names in EXTERNAL.items():
        told = [payload["values"] for payload in subscriber.data() if payload["serial"] == shown[uid]["serial"]]
        assert all("p" in values for values in told[1:])
        assert set(names) <= set().union(*told), "some are read once a minute"
        assert set(names) <= {each["name"] for each in shown[uid]["values"] if each["value"] is not None}
    for stamps in ends.values():
        assert stamps[0] <= began + START_S
        assert {later - earlier for earlier, later in pairwise(stamps)} == {PERIOD_S}
        assert len(stamps) >= (SECONDS - START_S) // PERIOD_S

    last_file = (began + SECONDS - DELIVERY_S) // FILE_S * FILE_S
    journalled = [record for record in records(folder / "state", PERIOD_S) if record.draft.end <= last_file]
    assert len(journalled) >= DEVICES * 2
    first = min(stamps[0] for stamps in ends.values())  # who came later than the broker has not heard all
    assert not_published([record for record in journalled if record.draft.end > first], subscriber.data()) == []
    files = {path.name: path.read_bytes() for path in (folder / "ftp").rglob("*") if path.is_file()}
    assert len(files) >= DEVICES
    assert not_filed(journalled, files) == []


async def met(condition, what):
    """Waits until something is so."""
    for _ in range(300):
        if condition():
            return
        await pause(0.2)
    raise AssertionError(f"still not {what}")


@pytest_twisted.ensureDeferred
async def test_a_genset_is_read_commanded_and_in_its_cloud(tmp_path):
    folder, state = tmp_path / "demo", tmp_path / "demo" / "state"
    ports = [f"--{name}-port={free_port()}" for name in ("mqtt", "ftp", "http", "cloud")]
    command = [sys.executable, "-m", "concentrator.app.cli", "demo", "--dir", str(folder), "--genset", "--json"]
    demo = subprocess.Popen([*command, "--meters", "1", *ports], stdout=subprocess.PIPE, text=True, env=environment())

    def status():
        return act(state, "genset.status", uid="genset")

    def heard():
        return [json.loads(line) for line in cloud.read_text().splitlines()]

    try:
        ready = json.loads(demo.stdout.readline())
        cloud = folder / "log" / "cloud.log"
        assert ready["cloud"]["port"]
        await met(lambda: status()["mode"] in ("auto", "stop"), "read")
        await met(lambda: act(state, "smartgen.sessions")[0]["figures"]["uploads"], "in the cloud")
        before = len(heard())
        done = act(state, "genset.command", uid="genset", command="test")
        assert (done["outcome"], done["status"]["mode"]) == ("confirmed", "test")
        await met(lambda: status()["running"], "running")
        await met(lambda: any(each.get("said") == "Changes" for each in heard()[before:]), "told of it")
        demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 0
    finally:
        demo.kill()
        demo.wait()
