"""The demo as its reader sees it: all meters every ten seconds, and files that say what the journal says."""

import subprocess
import sys
import time
from collections import defaultdict
from itertools import pairwise

import pytest_twisted

from concentrator.app.launch import environment
from concentrator.app.records import records
from tests.support.brokers import free_port
from tests.support.whole import FILE_S, PERIOD_S, Subscriber, at, not_filed, not_published, pause

METERS = 8
SECONDS = 85
START_S, DELIVERY_S = 40, 12
"""How long the demo may take to its first message, and a file to arrive after its period, on a busy machine."""


@pytest_twisted.ensureDeferred
async def test_the_demo_publishes_every_meter_and_files_what_is_journalled(tmp_path):
    folder, mqtt_port = tmp_path / "demo", free_port()
    ports = {"--mqtt-port": mqtt_port, "--ftp-port": free_port(), "--http-port": free_port()}
    options = [str(word) for option in ports.items() for word in option]
    command = [sys.executable, "-m", "concentrator.app.cli", "demo", "--dir", str(folder), "--for", str(SECONDS)]
    began = time.time()
    demo = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True, env=environment())
    subscriber = None
    try:
        assert "live page" in "".join(demo.stdout.readline() for _ in range(4))
        subscriber = Subscriber(mqtt_port, tmp_path)
        while demo.poll() is None:
            await pause(1)
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
    assert len(ends) == METERS
    for stamps in ends.values():
        assert stamps[0] <= began + START_S
        assert {later - earlier for earlier, later in pairwise(stamps)} == {PERIOD_S}
        assert len(stamps) >= (SECONDS - START_S) // PERIOD_S

    last_file = (began + SECONDS - DELIVERY_S) // FILE_S * FILE_S
    journalled = [record for record in records(folder / "state", PERIOD_S) if record.draft.end <= last_file]
    assert len(journalled) >= METERS * 2
    first = min(stamps[0] for stamps in ends.values())  # who came later than the broker has not heard all
    assert not_published([record for record in journalled if record.draft.end > first], subscriber.data()) == []
    files = {path.name: path.read_bytes() for path in (folder / "ftp").rglob("*") if path.is_file()}
    assert len(files) >= METERS
    assert not_filed(journalled, files) == []
