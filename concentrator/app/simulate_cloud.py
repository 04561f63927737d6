"""A simulated SmartGen cloud server as a process: strict, or with any of the ways in which servers in the field err. It
announces itself with one line of JSON on standard output, writes a line for each message it hears, obeys the commands
that come in on standard input, and ends at SIGTERM or SIGINT. What it says is `concentrator.sim`'s.

    write HEX            wants a Modbus frame carried out, sent as it is given
    rewire PORT BAUD     wants another port and baud rate, by their numbers
    reset                wants the modem to log in again
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from attrs import evolve
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.internet.stdio import StandardIO
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from concentrator.app.light_reactor import import_reactor
from concentrator.model.errors import ConcentratorError
from concentrator.sim.smartgen_cloud import MANNERS, CloudServer, CloudTalk, order_of, told
from concentrator.wire.smartgen_fields import commands
from concentrator.wire.smartgen_server import LoginAnswer


class Connection(Protocol):
    """One modem's connection."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.talk: CloudTalk = house.server.talk()

    def connectionMade(self) -> None:  # noqa: N802
        """Somebody calls."""
        self._house.connections.append(self)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """A segment, as far as TCP keeps them apart."""
        faults = len(self.talk.server.faults)
        self.say(self.talk.heard(data))
        if len(self.talk.server.faults) > faults:
            self._house.tell({"fault": data[:200].decode(errors="replace")})

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        """He is gone."""
        self._house.connections.remove(self)

    def say(self, segments: list[bytes]) -> None:
        """Says that, each piece by itself."""
        for segment in segments:
            assert self.transport is not None, "it is connected"
            self.transport.write(segment)


class House(ServerFactory):
    """The server on a TCP port."""

    noisy = False

    def __init__(self, server: CloudServer) -> None:
        self.server = server
        self.connections: list[Connection] = []
        server.on_heard = lambda message: self.tell(told(message))

    def buildProtocol(self, address: Any) -> Connection:  # noqa: N802
        """Somebody calls."""
        return Connection(self)

    def order(self, line: str) -> None:
        """Has every modem that is there told what a line of text says."""
        try:
            wanted = order_of(line)
        except (ValueError, ConcentratorError) as error:
            self.tell({"error": str(error)})
            return
        there = [each for each in self.connections if each.talk.hostid]
        for connection in there:
            connection.say(connection.talk.says(wanted))
        self.tell({"done": line, "modems": len(there)})

    def tell(self, facts: dict[str, object]) -> None:
        """A line of what happens."""
        print(json.dumps(facts, ensure_ascii=False), flush=True)


class _Commands(LineOnlyReceiver):
    delimiter = b"\n"

    def __init__(self, house: House) -> None:
        self._house = house

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        text = line.decode(errors="replace").strip()
        if text:
            self._house.order(text)


def run_smartgen_cloud(options: argparse.Namespace) -> int:
    """Runs the server until it is ended; gives the exit status."""
    manners = frozenset(MANNERS if "sloppy" in options.manner else options.manner)
    if unknown := manners - set(MANNERS):
        print(
            f"smartgen-cloud: --manner {min(unknown)}: expected sloppy or one of {', '.join(MANNERS)}", file=sys.stderr
        )
        return 2
    server = CloudServer(
        LoginAnswer(
            always=commands(options.reads),
            once=commands(options.once),
            online_s=options.rate,
            offline_s=options.rate,
            is_full=options.full,
            is_deflated=options.compress,
        ),
        now=time.time,
        manners=manners,
        password=options.password,
        can_deflate=options.compress,
    )
    house = House(server)
    reactor = import_reactor()
    try:
        port: int = reactor.listenTCP(options.port, house, interface="127.0.0.1").getHost().port
    except OSError as error:
        print(f"smartgen-cloud: {error}", file=sys.stderr)
        return 1
    here = ("127.0.0.1", port)
    server.answer = evolve(server.answer, live=here, history=here if options.history else None)
    house.tell({"port": port, "server": f"tcp:127.0.0.1:{port}", "manners": sorted(server.manners)})
    StandardIO(_Commands(house))
    reactor.run()
    return 0
