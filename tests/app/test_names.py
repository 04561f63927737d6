"""concentrator.app.names: names are looked up in threads that nobody waits for."""

import socket
import subprocess
import sys

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHostnameResolver
from zope.interface.verify import verifyObject

from concentrator.app.names import LooseNames

BOTH = [
    (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 80, 0, 0)),
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)),
    (socket.AF_UNIX, socket.SOCK_STREAM, 6, "", "/nowhere"),
]


class Receiver:
    def __init__(self):
        self.told, self.over = [], Deferred()

    def resolutionBegan(self, resolution):  # noqa: N802
        self.told.append(resolution.name)

    def addressResolved(self, address):  # noqa: N802
        self.told.append(address)

    def resolutionComplete(self):  # noqa: N802
        self.over.callback(None)


def unknown(*_, **__):
    raise socket.gaierror("no such name")


@pytest.mark.parametrize(
    ("look_up", "types", "told"),
    [
        (lambda *_, **__: BOTH, None, [IPv6Address("TCP", "::1", 80), IPv4Address("TCP", "127.0.0.1", 80)]),
        (lambda *_, **__: BOTH, [IPv4Address], [IPv4Address("TCP", "127.0.0.1", 80)]),
        (unknown, None, []),
    ],
)
@pytest_twisted.ensureDeferred
async def test_every_address_of_a_name_is_told(look_up, types, told):
    names, receiver = LooseNames(reactor, look_up), Receiver()
    assert verifyObject(IHostnameResolver, names)
    assert names.resolveHostName(receiver, "broker.example", 80, types).name == "broker.example"
    await receiver.over
    assert receiver.told == ["broker.example", *told]


HUNG = """
import time
from twisted.internet import reactor
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.protocol import Factory, Protocol
from concentrator.app.names import LooseNames

def hangs(*_, **__):
    print("looking", flush=True)
    time.sleep(600)

reactor.installNameResolver(LooseNames(reactor, hangs))
HostnameEndpoint(reactor, "broker.example", 1883).connect(Factory.forProtocol(Protocol)).addErrback(lambda _: None)
reactor.callLater(0.5, reactor.stop)
reactor.run()
print("over", flush=True)
"""


def test_a_name_server_that_is_away_does_not_hold_up_the_end():
    done = subprocess.run([sys.executable, "-c", HUNG], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "looking\nover\n"
