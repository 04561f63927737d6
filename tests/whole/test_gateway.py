"""The whole program with M-Bus meters and a gateway to them: a head-end reads through the port while the box reads, the
line changes its speed while both are at it."""

import json
import select
import socket

import pytest_twisted
from twisted.internet.threads import deferToThread

from tests.support.head_end import is_telegram, reading
from tests.support.mbus import simulated_mbus
from tests.support.whole import BareBox

TEXT = """
[box]
state_dir = "state"

[web]
listen = []

[line.mbus]
endpoint = "serial:{port}:baudrate={baudrate}"
role = "mbus"

[mbus_gateway.main]
line = "mbus"
port = {gateway}
sharing = "time-sliced"

[device.one]
line = "mbus"
profile = "mbus/generic"
address = {address}
interval = "1 s"
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def read(client, primary):
    """What a head-end gets of a meter."""
    talk, heard = reading(primary), None
    try:
        while True:
            said, wait_s = talk.send(heard)
            client.sendall(said)
            heard = b""
            while not (heard == b"\xe5" or is_telegram(heard)) and select.select([client], [], [], wait_s)[0]:
                heard += client.recv(4096)
    except StopIteration as ended:
        return ended.value


@pytest_twisted.ensureDeferred
async def test_a_head_end_reads_through_the_port_while_the_box_reads_the_same_meters(tmp_path):
    gateway = free_port()
    link = tmp_path / "mbus"
    with simulated_mbus("--link", str(link), "--meters", "3", "--baudrate", "9600") as bus:
        (serial, address), *_ = bus["addresses"].items()
        text = TEXT.format(port=link, baudrate=9600, gateway=gateway, address=address)
        box = BareBox(tmp_path, text)

        def reads():
            with socket.create_connection(("127.0.0.1", gateway), 10) as client:
                return [read(client, primary) for primary in bus["addresses"].values()]

        def is_read():
            return box.status() and box.values("one").get("serial") == serial

        def client_is_gone():
            return box.act("mbus.gateways")[0]["standing"] == "Waiting"

        try:
            box.start()
            await box.until(is_read, 30, "the meter's serial")
            for _ in range(3):
                telegrams = await deferToThread(reads)
                # An identification is eight digits, low ones first, as the address begins.
                found = [each[0][:4][::-1].hex() for each in telegrams]
                assert found == [each[:8] for each in bus["addresses"]]
                await box.until(client_is_gone, 30, "waiting")
            (state,) = box.act("mbus.gateways")
            assert state["statistics"]["Completed Accepts"] == 3
            assert json.dumps(state["serial"])
            slower = box.act("config.set", changes={"line.mbus": {"endpoint": f"serial:{link}:baudrate=4800"}})
            assert slower["restart"] == []

            def is_slower():
                return box.act("line.get", line="mbus")["endpoint"].endswith("4800")

            await box.until(is_slower, 10, "slower")
            box.stop()
            assert "Traceback" not in box.log()
        finally:
            box.end()
