"""A box of which only the field and the slave ports are there: readings come as they are told, and what its slave ports
have others do is noted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from attrs import evolve
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock, StringTransport

from concentrator.actions.table import Caller
from concentrator.app.config_sections import Config
from concentrator.app.slaves import Slaves
from concentrator.app.ways import Around
from concentrator.model.reading import Quality, Reading
from tests.support.fields import NATIVE, StillBox, meter
from tests.support.records import FixedWall

TEXT = (
    NATIVE
    + meter("m1", 1, 'alias = "Main"\n')
    + meter("m2", 2)
    + """
[line.out]
endpoint = "serial:/dev/null/nowhere:baudrate=19200"
role = "slave"

[modbus_slave.scada]
port = 1502

[modbus_slave.meter]
port = 1502
unit = 11
serve = "mirror"
device = "m1"
write = true
"""
)


class _Transport(StringTransport):
    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802 - Twisted's name, as below
        """Nothing."""

    def setTcpKeepAlive(self, enabled: bool) -> None:  # noqa: N802
        """Nothing."""

    def abortConnection(self) -> None:  # noqa: N802
        self.disconnecting = True


class SlaveBox:
    """`asked` has each action that was asked for: its name, its arguments, its caller and its Deferred."""

    def __init__(self, folder: Path, text: str = TEXT) -> None:
        self.still = StillBox(folder, text)
        self.wall = FixedWall()
        self.reactor = MemoryReactorClock()
        self.front = SimpleNamespace(sources=SimpleNamespace(is_slave_asked=None))
        self.asked: list[tuple[str, Mapping[str, object], Caller, Deferred[Any]]] = []
        nobody: Any = None
        around = Around(
            field_=self.still.field,
            front=self.front,  # type: ignore[arg-type]
            reactor=self.reactor,
            wall=self.wall,
            report=self.still.report,
            heard=nobody,
            ask=self._ask,
            serial="4426010001",
            state_dir=self.still.state,
        )
        self.slaves = Slaves(around)
        self.clients: list[Any] = []

    @property
    def config(self) -> Config:
        """The configuration of the file."""
        return self.still.config

    def changed(self, **sections: Any) -> Config:
        """The configuration with other slave ports: a dict of keys for each that is changed, None for one that goes."""
        before = self.config.services["modbus_slave"]
        after = {name: before[name] for name in before if sections.get(name, {}) is not None}
        after |= {name: evolve(before[name], **keys) for name, keys in sections.items() if keys is not None}
        return evolve(self.config, services={"modbus_slave": after})

    def reading(self, uid: str, quality: Quality = Quality.GOOD, **values: Any) -> None:
        """A device says something."""
        self.still.field.hub.publish(Reading(uid, self.wall.now(), values, quality))

    def ports(self) -> list[int]:
        """The TCP ports that were opened."""
        return [server[0] for server in self.reactor.tcpServers]

    def ask(self, request: str, unit: int = 1) -> str:
        """What a client is answered over TCP, both without their header."""
        factory = self.reactor.tcpServers[-1][1]
        client = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 40000))
        client.makeConnection(_Transport(peerAddress=IPv4Address("TCP", "127.0.0.1", 40000)))
        self.clients.append(client)
        pdu = bytes.fromhex(request)
        client.dataReceived(b"\0\1\0\0" + (len(pdu) + 1).to_bytes(2) + bytes((unit,)) + pdu)
        return self.said()

    def said(self) -> str:
        """What the last client is told since it was looked last, without the header."""
        data = self.clients[-1].transport.value()
        self.clients[-1].transport.clear()
        return data[7:].hex()

    def _ask(self, action: str, arguments: Mapping[str, object], caller: Caller) -> Deferred[Any]:
        self.asked.append((action, arguments, caller, Deferred()))
        return self.asked[-1][3]
