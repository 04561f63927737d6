"""The M-Bus pages of the running program, over simulated meters on a pseudo-terminal."""

import re
import socket
from urllib.parse import quote

import pytest
import pytest_twisted

from concentrator.app.gate import FILE
from tests.support.brokers import free_port
from tests.support.mbus import simulated_mbus
from tests.support.portal import Visitor
from tests.support.whole import BareBox

SPEED = 38400
"""Without parity, which a pseudo-terminal takes only once."""
CONFIG = """
[box]
state_dir = "{state}"
plugin_dirs = []
[web]
listen = "tcp:{web}:interface=127.0.0.1"
[line.heat]
endpoint = "serial:{port}:baudrate={speed}:parity=N"
role = "mbus"
[mbus_gateway.heat]
line = "heat"
port = {gateway}
interface = "127.0.0.1"
disconnect_timeout = "0 s"
"""
PATH, METERS = "/services/mbus", "/services/mbus/meters"


@pytest.fixture
def meters():
    with simulated_mbus("--meters", "2", "--baudrate", str(SPEED), "--seed", "portal") as simulated:
        yield simulated


@pytest.fixture
def ports():
    return free_port(), free_port()


@pytest.fixture
def box(tmp_path, meters, ports):
    where = {"state": tmp_path / "state", "web": ports[0], "gateway": ports[1]}
    box = BareBox(tmp_path, CONFIG.format(port=meters["port"], speed=SPEED, **where))
    yield box
    box.end()


def words(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).split())


@pytest_twisted.ensureDeferred
async def test_meters_are_found_added_and_read_and_a_client_is_thrown_out(box, meters, ports):
    web, gateway = ports
    box.start()
    await box.until(lambda: box.status() and box.act("mbus.gateways")[0]["listening"], 20, "listening")
    await box.until(lambda: (box.state / FILE).is_file(), 20, "made a password")
    visitor = Visitor(web, box.state)
    assert "Nobody is connected; the box reads line heat itself." in words(visitor.page(PATH))

    # All are found, each with the way to add it.
    visitor.send(METERS, by="secondary", mask="")
    await box.until(lambda: "The search is over: 2 found." in words(visitor.page(METERS)), 60, "searched")
    first, _ = meters["addresses"]
    page = visitor.page(METERS)
    assert all(f"address={each}" in page for each in meters["addresses"])

    # One is added, and read as every device is.
    adding = f"{PATH}/add?line=heat&address={quote(first)}"
    added = visitor.send(adding, at=adding, address=first, alias="Flat 3")
    assert "Flat 3 was added" in words(added) and "Meters read on line heat: 1." in words(added)
    await box.until(lambda: "answering" in str(box.act("devices.list")), 60, "read")
    assert f'href="{PATH}/telegram?line=heat&amp;address={first}"' in visitor.page("/devices/flat-3")

    # It says a telegram at once.
    said = words(visitor.send(f"{PATH}/telegram?line=heat", address=first))
    assert "Telegram 1" in said and first in said and re.search(r"\b68 [0-9A-F]{2} [0-9A-F]{2} 68 08 ", said)

    # A client comes, is seen, and is thrown out.
    with socket.create_connection(("127.0.0.1", gateway), timeout=10) as client:
        await box.until(lambda: "127.0.0.1 is connected and has line heat." in words(visitor.page(PATH)), 20, "had")
        assert "Whoever was connected is not any more." in words(
            visitor.send(f"{PATH}/leave", at=PATH, name="heat", line="heat")
        )
        assert client.recv(1) == b""
    await box.until(lambda: "Disconnects 1" in words(visitor.page(PATH)), 10, "counted")

    # The gateway's port and time-out are changed while it runs.
    other = free_port()
    fields = {"mbus_gateway-heat-enabled": "on", "mbus_gateway-heat-port": str(other)}
    fields |= {"mbus_gateway-heat-interface": "127.0.0.1", "mbus_gateway-heat-keepalive": "45 s"}
    fields |= {"mbus_gateway-heat-when_busy": "queue"}
    assert "Saved at" in words(visitor.send(f"{PATH}/accept?line=heat", **fields))
    await box.until(lambda: f"tcp:{other}" in words(visitor.page(PATH)), 10, "moved")
